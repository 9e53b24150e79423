import type { Lease, Slots } from '../engine.ts'
import { integer, isAtMostOnce, leaseColumns, leaseOf, seqColumn } from './columns.ts'
import type { Transaction } from './connection.ts'
import { inLine, stateCode } from './schema.ts'
import type { Sql } from './sql.ts'

/** What a claim is made with. */
export interface Claim {
  /** The number of the claiming worker in `owners`. */
  readonly owner: number
  /** Differs for every claim of any worker; with a task's seq it is the token of a lease. */
  readonly lease: number
  readonly slots: Slots
  readonly now: number
  /** This transaction survives a power cut, so tasks that must not start twice may be claimed in it. */
  readonly durable: boolean
}

export interface Claimed {
  readonly leases: readonly Lease[]
  /** Tasks that must not start twice were met: the next claim must be durable to take them. */
  readonly metAtMostOnce: boolean
}

/** Most tasks in one transaction: about a millisecond, which is how long another process waits for the lock. */
export const batchSize = 100

/**
 * Takes tasks for one worker, those of the lowest priority first and within one those that became due first. Suspects keep the place they
 * had and stand in a line of their own, so neither do they wait behind others nor others behind them.
 */
export function claim(transaction: Transaction, terms: Claim): Claimed {
  promoteDue(transaction, terms.now)
  const alone = take(transaction, terms, { line: 'alone', room: batchSize })
  const ordinary = take(transaction, terms, { line: 'ordinary', room: batchSize - alone.leases.length })
  const leases = [...alone.leases, ...ordinary.leases]
  transaction.totals.move('queued', 'running', leases.length)
  return { leases, metAtMostOnce: alone.metAtMostOnce || ordinary.metAtMostOnce }
}

function take({ sql }: Transaction, terms: Claim, from: { line: keyof Slots; room: number }): Claimed {
  const limit = Math.min(terms.slots[from.line], from.room)
  // Asked first: node:sqlite makes the names of all columns before it finds that there is no row.
  if (limit <= 0 || sql.first(anyOf[from.line]) === undefined) return { leases: [], metAtMostOnce: false }
  const rows = sql.all(firstOf[from.line], limit)
  const claimable = rows.filter((row) => terms.durable || !isAtMostOnce(row))
  const seqs = JSON.stringify(claimable.map((row) => integer(row[seqColumn])))
  sql.run(claimTasks, terms.owner, terms.lease, terms.now, seqs)
  return {
    leases: claimable.map((row) => leaseOf(row, terms.lease)),
    metAtMostOnce: rows.some(isAtMostOnce),
  }
}

/** Moves scheduled tasks whose time has come into the queue. */
function promoteDue({ sql, totals }: Transaction, now: number): void {
  const due = nextDue(sql)
  if (due === undefined || due > now) return
  totals.move('scheduled', 'queued', sql.run(promote, now, batchSize))
}

/** When the next scheduled task is due, or undefined when none is scheduled. */
export function nextDue(sql: Sql): number | undefined {
  const due = sql.first(firstDue)?.[0]
  return typeof due === 'number' ? due : undefined
}

/** Whether a claim with these slots would find anything; spares idle workers the lock. */
export function isAnyWaiting(sql: Sql, slots: Slots): boolean {
  if (slots.alone > 0 && sql.first(anyOf.alone) !== undefined) return true
  return slots.ordinary > 0 && sql.first(anyOf.ordinary) !== undefined
}

// CROSS JOIN keeps the order of the tables: from the index of the line to the messages.
const firstInLine = (line: keyof Slots) => `
  SELECT ${leaseColumns} FROM tasks t CROSS JOIN messages m ON m.seq = t.seq
  WHERE ${inLine[line]} ORDER BY t.priority, t.run_at, t.seq LIMIT ?`
const firstOf = { ordinary: firstInLine('ordinary'), alone: firstInLine('alone') }

const anyInLine = (line: keyof Slots) => `SELECT 1 FROM tasks t WHERE ${inLine[line]} LIMIT 1`
const anyOf = { ordinary: anyInLine('ordinary'), alone: anyInLine('alone') }

// One statement for all takes a tenth off the cost of a task from claim to settlement.
const claimTasks = `
  UPDATE tasks SET state = ${stateCode.running}, owner = ?, lease = ?, started_at = ?
  WHERE seq IN (SELECT value FROM json_each(?))`

const firstDue = `SELECT min(run_at) FROM tasks WHERE state = ${stateCode.scheduled}`

const promote = `
  UPDATE tasks SET state = ${stateCode.queued} WHERE seq IN (
    SELECT seq FROM tasks WHERE state = ${stateCode.scheduled} AND run_at <= ? ORDER BY run_at LIMIT ?)`
