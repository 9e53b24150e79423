import { integer, text } from './columns.ts'
import type { Transaction } from './connection.ts'
import { settledAs, stateCode } from './schema.ts'
import type { Sql } from './sql.ts'

/** Puts tasks that were parked because nobody knew their name back into the queue, once somebody does. */

/** Where the next slice begins: parked tasks are gone through in the order of their expiry. */
export interface Position {
  readonly expiresAt: number
  readonly seq: number
}

export interface UnparkSlice {
  /** The tasks whose names are known now. */
  readonly seqs: readonly number[]
  /** Undefined after the last slice. */
  readonly next: Position | undefined
}

const sliceSize = 500

export const start: Position = { expiresAt: Number.MIN_SAFE_INTEGER, seq: 0 }

/** Looks through one slice of the parked tasks for those in `names`. */
export function readUnparkable(sql: Sql, names: ReadonlySet<string>, from: Position): UnparkSlice {
  const rows = sql.all(parkedUnknown, from.expiresAt, from.seq, sliceSize)
  const last = rows.length === sliceSize ? rows.at(-1) : undefined
  return {
    seqs: rows.filter((row) => names.has(text(row[2]))).map((row) => integer(row[1])),
    next: last && { expiresAt: integer(last[0]), seq: integer(last[1]) },
  }
}

export function unpark({ sql, totals }: Transaction, seqs: readonly number[]): number {
  const count = seqs.reduce((sum, seq) => sum + sql.run(unparkTask, seq), 0)
  totals.move('parked', 'queued', count)
  return count
}

const isUnknown = `${settledAs('parked')} AND t.reason = 'unknown_task'`

const parkedUnknown = `
  SELECT t.expires_at, t.seq, m.name FROM tasks t CROSS JOIN messages m ON m.seq = t.seq
  WHERE ${isUnknown} AND (t.expires_at, t.seq) > (?, ?) ORDER BY t.expires_at, t.seq LIMIT ?`

const unparkTask = `
  UPDATE tasks AS t SET state = ${stateCode.queued}, reason = NULL, error = NULL, settled_at = NULL, expires_at = NULL
  WHERE t.seq = ? AND ${isUnknown}`
