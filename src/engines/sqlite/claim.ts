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
  /** Scheduled tasks have become due. */
  readonly promotes: boolean
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
  if (terms.promotes) promoteDue(transaction, terms.now)
  const alone = take(transaction, terms, { line: 'alone', room: batchSize })
  const ordinary = take(transaction, terms, { line: 'ordinary', room: batchSize - alone.leases.length })
  const leases = [...alone.leases, ...ordinary.leases]
  transaction.totals.move('queued', 'running', leases.length)
  return { leases, metAtMostOnce: alone.metAtMostOnce || ordinary.metAtMostOnce }
}

/** Moves scheduled tasks whose time has come into the queue. */
function promoteDue({ sql, totals }: Transaction, now: number): void {
  totals.move('scheduled', 'queued', sql.run(promote, now, batchSize))
}

function take({ sql }: Transaction, terms: Claim, from: { line: keyof Slots; room: number }): Claimed {
  const limit = Math.min(terms.slots[from.line], from.room)
  if (limit <= 0) return { leases: [], metAtMostOnce: false }
  const rows = sql.all(firstOf[from.line], limit)
  const claimable = rows.filter((row) => terms.durable || !isAtMostOnce(row))
  const seqs = JSON.stringify(claimable.map((row) => integer(row[seqColumn])))
  sql.run(claimTasks, terms.owner, terms.lease, terms.now, seqs)
  return {
    leases: claimable.map((row) => leaseOf(row, terms.lease)),
    metAtMostOnce: rows.some(isAtMostOnce),
  }
}

/** What waits, told without a lock. */
export interface Waiting {
  readonly ordinary: boolean
  readonly alone: boolean
  /** When the next scheduled task is due; undefined when none is scheduled. */
  readonly dueAt: number | undefined
}

export function lookForWaiting(sql: Sql): Waiting {
  const [ordinary, alone, dueAt] = sql.first(anyWaiting) ?? []
  return {
    ordinary: ordinary === 1,
    alone: alone === 1,
    dueAt: typeof dueAt === 'number' ? dueAt : undefined,
  }
}

// CROSS JOIN keeps the order of the tables: from the index of the line to the messages.
const firstInLine = (line: keyof Slots) => `
  SELECT ${leaseColumns} FROM tasks t CROSS JOIN messages m ON m.seq = t.seq
  WHERE ${inLine[line]} ORDER BY t.priority, t.run_at, t.seq LIMIT ?`
const firstOf = { ordinary: firstInLine('ordinary'), alone: firstInLine('alone') }

const anyWaiting = `
  SELECT EXISTS (SELECT 1 FROM tasks t WHERE ${inLine.ordinary}), EXISTS (SELECT 1 FROM tasks t WHERE ${inLine.alone}),
    (SELECT min(run_at) FROM tasks WHERE state = ${stateCode.scheduled})`

// One statement for all takes a tenth off the cost of a task from claim to settlement.
const claimTasks = `
  UPDATE tasks SET state = ${stateCode.running}, owner = ?, lease = ?, started_at = ?
  WHERE seq IN (SELECT value FROM json_each(?))`

const promote = `
  UPDATE tasks SET state = ${stateCode.queued} WHERE seq IN (
    SELECT seq FROM tasks WHERE state = ${stateCode.scheduled} AND run_at <= ? ORDER BY run_at LIMIT ?)`
