import { type Known, lackingReasons } from '../known.ts'
import { integer, text } from './columns.ts'
import type { Transaction } from './connection.ts'
import { settledAs, stateCode } from './schema.ts'
import type { Row, Sql } from './sql.ts'

/** Puts tasks that were parked because a worker lacked their name or key back into the queue, once one has them. */

/** Where the next slice begins: parked tasks are gone through in the order of their expiry. */
export interface Position {
  readonly expiresAt: number
  readonly seq: number
}

export interface UnparkSlice {
  /** The tasks that can be run now. */
  readonly seqs: readonly number[]
  /** Undefined after the last slice. */
  readonly next: Position | undefined
}

const sliceSize = 500

export const start: Position = { expiresAt: Number.MIN_SAFE_INTEGER, seq: 0 }

/** Looks through one slice of the parked tasks for those that can be run. */
export function readUnparkable(sql: Sql, known: Known, from: Position): UnparkSlice {
  const rows = sql.all(parkedUnknown, from.expiresAt, from.seq, sliceSize)
  const last = rows.length === sliceSize ? rows.at(-1) : undefined
  return {
    seqs: rows.filter((row) => isRunnable(row, known)).map((row) => integer(row[1])),
    next: last && { expiresAt: integer(last[0]), seq: integer(last[1]) },
  }
}

function isRunnable(row: Row, known: Known): boolean {
  return known.hasName(text(row[2])) && (row[3] === null || known.canOpen(text(row[3])))
}

export function unpark({ sql, totals }: Transaction, seqs: readonly number[]): number {
  const count = seqs.reduce((sum, seq) => sum + sql.run(unparkTask, seq), 0)
  totals.move('parked', 'queued', count)
  return count
}

const isUnknown = `${settledAs('parked')} AND t.reason IN (${lackingReasons.map((reason) => `'${reason}'`).join(', ')})`

const parkedUnknown = `
  SELECT t.expires_at, t.seq, m.name, iif(t.reason = 'unknown_key', substr(m.context, 1, 100), NULL) FROM tasks t CROSS JOIN messages m ON m.seq = t.seq
  WHERE ${isUnknown} AND (t.expires_at, t.seq) > (?, ?) ORDER BY t.expires_at, t.seq LIMIT ?`

const unparkTask = `
  UPDATE tasks AS t SET state = ${stateCode.queued}, reason = NULL, error = NULL, settled_at = NULL, expires_at = NULL
  WHERE t.seq = ? AND ${isUnknown}`
