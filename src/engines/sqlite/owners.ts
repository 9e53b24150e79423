import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Consumer, WorkerInfo } from '../engine.ts'
import { integer, text } from './columns.ts'
import type { Transaction } from './connection.ts'
import { stateCode } from './schema.ts'
import type { Sql } from './sql.ts'

/** Workers in the store: each has a row while it lives, and until its tasks are given back when it died. */
export interface Owner {
  readonly number: number
  readonly id: string
}

/** Who dies can say no more what it was: its name does. */
export function newOwner({ forwards }: Pick<Consumer, 'forwards'>): string {
  return `${forwards ? forwarder : 'worker'}-${randomBytes(6).toString('hex')}`
}

/** Whether it ran nothing: none of its tasks can be what took it down. */
export function isForwarder({ id }: Pick<Owner, 'id'>): boolean {
  return id.startsWith(`${forwarder}-`)
}

const forwarder = 'forwarder'

/** The number of this process' worker `id`; written anew where the row is gone, as in a store that was replaced. */
export function ownNumber({ sql }: Transaction, id: string, now: number): number {
  const known = sql.first(numberOf, id)
  if (known !== undefined) return integer(known[0])
  const facts = [id, hostname(), process.pid, now]
  sql.run('INSERT INTO owners (id, host, pid, started_at) VALUES (?, ?, ?, ?)', ...facts)
  return integer(sql.first(numberOf, id)?.[0])
}

const numberOf = 'SELECT number FROM owners WHERE id = ?'

export function readOwners(sql: Sql): readonly Owner[] {
  return sql
    .all('SELECT number, id FROM owners')
    .map((row) => ({ number: integer(row[0]), id: text(row[1]) }))
}

/** All that have a row, the dead ones too: only their locks tell. */
export function readWorkers(sql: Sql): readonly WorkerInfo[] {
  const rows = sql.all(`
    SELECT id, host, pid, started_at, (SELECT count(*) FROM tasks WHERE owner = number AND state = ${stateCode.running})
    FROM owners ORDER BY number`)
  return rows.map((row) => ({
    owner: text(row[0]),
    host: text(row[1]),
    pid: integer(row[2]),
    startedAt: integer(row[3]),
    running: integer(row[4]),
    ...(isForwarder({ id: text(row[0]) }) ? { forwards: true } : {}),
  }))
}

/** Notes that something of a dead worker still runs and can't be ended, so its tasks must stay where they are. */
export function markStuck({ sql }: Transaction, owner: Owner, now: number): void {
  sql.run('UPDATE owners SET stuck_since = ? WHERE number = ? AND stuck_since IS NULL', now, owner.number)
}

/** A dead worker whose tasks wait for the end of what it has left running. */
export interface Stuck {
  readonly owner: string
  readonly since: number
}

export function readStuck(sql: Sql): readonly Stuck[] {
  return sql
    .all('SELECT id, stuck_since FROM owners WHERE stuck_since IS NOT NULL')
    .map((row) => ({ owner: text(row[0]), since: integer(row[1]) }))
}
