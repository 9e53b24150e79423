import type { TaskState } from '../../tasks/states.ts'
import { deleteTask } from './actions.ts'
import { integer } from './columns.ts'
import type { Transaction } from './connection.ts'
import { type SettledState, settledAs, settledStates } from './schema.ts'
import type { Sql } from './sql.ts'
import { readTotals } from './totals.ts'

/** Deletes tasks that are over, in slices: other writers need not wait long, and a slice is all or nothing. */

/** Most tasks that one transaction deletes: about two milliseconds. */
export const sliceSize = 250

export interface Purge {
  /** Default: all settled ones. Others are passed over. */
  readonly states?: readonly TaskState[] | undefined
  /** Only those that may go since before this time; all where left out. */
  readonly expiredAt?: number | undefined
}

/** Whether a settled task may go. */
export function isAnyExpired(sql: Sql, now: number): boolean {
  return settledStates.some((state) => sql.first(anyExpired(state), now) !== undefined)
}

/** How many settled tasks are kept. */
export function countSettled(sql: Sql): number {
  const totals = readTotals(sql)
  return settledStates.reduce((sum, state) => sum + totals[state], 0)
}

/** Deletes one slice, those that may go for the longest first; fewer than `sliceSize` means that none are left. */
export function purge(transaction: Transaction, { states = settledStates, expiredAt }: Purge): number {
  let room = sliceSize
  for (const state of settledStates) {
    if (room > 0 && states.includes(state))
      room -= deleteSome(transaction, { state, before: expiredAt ?? Number.MAX_SAFE_INTEGER, limit: room })
  }
  return sliceSize - room
}

/** Deletes up to a slice of `surplus` settled tasks; done ones go first, parked ones last. */
export function trim(transaction: Transaction, surplus: number): number {
  let room = Math.min(surplus, sliceSize)
  let deleted = 0
  for (const state of firstToGo) {
    const count =
      room > 0 ? deleteSome(transaction, { state, before: Number.MAX_SAFE_INTEGER, limit: room }) : 0
    room -= count
    deleted += count
  }
  return deleted
}

const firstToGo: readonly SettledState[] = ['done', 'cancelled', 'failed', 'parked']

function deleteSome(
  transaction: Transaction,
  what: { state: SettledState; before: number; limit: number },
): number {
  const rows = transaction.sql.all(firstToExpire(what.state), what.before, what.limit)
  for (const row of rows) deleteTask(transaction, integer(row[0]))
  transaction.totals.add(what.state, -rows.length)
  return rows.length
}

const expired = (state: SettledState) => `FROM tasks t WHERE ${settledAs(state)} AND t.expires_at <= ?`
const anyExpired = (state: SettledState) => `SELECT 1 ${expired(state)} LIMIT 1`
const firstToExpire = (state: SettledState) => `SELECT t.seq ${expired(state)} ORDER BY t.expires_at LIMIT ?`
