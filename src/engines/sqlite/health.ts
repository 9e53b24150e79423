import type { EngineHealth } from '../engine.ts'
import { reasonOf } from '../waiting.ts'
import { parkedWarning, waitingReason } from '../waiting-reason.ts'
import { lookForWaiting } from './claim.ts'
import { integer } from './columns.ts'
import type { DiskRoom } from './disk-room.ts'
import { longLog } from './log-length.ts'
import { readOwners, readStuck, type Stuck } from './owners.ts'
import type { Reader } from './reader.ts'
import { inLine, stateCode } from './schema.ts'
import { type Site, siteOf } from './site.ts'
import type { Sql } from './sql.ts'
import type { Store } from './store.ts'
import { readTotals } from './totals.ts'

export interface HealthOptions {
  readonly store: Pick<Store, 'file' | 'room' | 'damage'>
  readonly reader: Reader
  readonly now: () => number
  /** Writes something small, and throws where that or the last real write failed. */
  readonly probe: () => Promise<void>
}

/** Whether tasks can be stored, and whether those that wait move. Never rejects. */
export async function examine(options: HealthOptions): Promise<EngineHealth> {
  const { store, reader, now, probe } = options
  const site = siteOf(store.file)
  const faults = new Set<string>()
  const isWritten = await probe().then(
    () => true,
    (error) => !faults.add(reasonOf(error)),
  )
  const seen = await reader
    .read((sql) => look(sql, now()))
    .catch((error) => {
      faults.add(reasonOf(error))
      return nothing
    })
  // The reading may have met it.
  const damage = store.damage()
  if (damage !== undefined) faults.add(reasonOf(damage))
  const storing = isWritten && damage === undefined
  const workers = attempt(() => countAlive(site, seen.owners), faults) ?? 0
  const { waiting, running, parked, oldestWaitMs } = seen
  const warnings = [...logWarning(store.file), ...parkedWarning(seen)]
  const reasons = [
    ...faults,
    ...spaceReason(store.room, storing),
    ...waitingReason(seen, workers),
    ...stuckReasons(seen),
  ]
  const figures = { waiting, running, parked, oldestWaitMs, workers }
  return { ok: reasons.length === 0, storing, reasons, warnings, ...figures }
}

interface Seen {
  readonly waiting: number
  readonly running: number
  readonly parked: number
  readonly oldestWaitMs: number
  /** The workers that have a row, dead or alive. */
  readonly owners: readonly string[]
  readonly stuck: readonly Stuck[]
}

const nothing: Seen = { waiting: 0, running: 0, parked: 0, oldestWaitMs: 0, owners: [], stuck: [] }

function look(sql: Sql, now: number): Seen {
  const { queued, running, parked } = readTotals(sql)
  const due = integer(sql.first(countDue, now)?.[0])
  const since = [
    lookForWaiting(sql).dueAt,
    oldestInLine(sql, inLine.ordinary),
    oldestInLine(sql, inLine.alone),
  ]
  const oldest = Math.min(now, ...since.filter((time) => time !== undefined))
  return {
    waiting: queued + due,
    running,
    parked,
    oldestWaitMs: now - oldest,
    owners: readOwners(sql).map(({ id }) => id),
    stuck: readStuck(sql),
  }
}

function oldestInLine(sql: Sql, line: string): number | undefined {
  const time = sql.first(oldestOf(line))?.[0]
  return typeof time === 'number' ? time : undefined
}

/** What `work` gives, or undefined with its fault noted. */
function attempt<T>(work: () => T, faults: Set<string>): T | undefined {
  try {
    return work()
  } catch (error) {
    faults.add(reasonOf(error))
    return undefined
  }
}

function countAlive(site: Site, owners: readonly string[]): number {
  return owners.filter((owner) => site.isAlive(owner)).length
}

/** A disk that is too full to store anything has been told of already. */
function spaceReason(room: DiskRoom, storing: boolean): string[] {
  const shortness = storing ? room.shortness() : undefined
  return shortness === undefined ? [] : [shortness]
}

/** No reason to send requests elsewhere: tasks are stored and run. */
function logWarning(file: string): string[] {
  const long = longLog(file)
  return long === undefined ? [] : [reasonOf(long)]
}

function stuckReasons({ stuck }: Seen): string[] {
  return stuck.map(
    ({ owner, since }) =>
      `The tasks of ${owner}, which has died, wait since ${new Date(since).toISOString()}: an executor it has left running can't be killed from here. Kill it.`,
  )
}

// Scheduled tasks become queued when a worker sees that they are due; without one they wait all the same. Enough to know of a thousand.
const countDue = `
  SELECT count(*) FROM (SELECT 1 FROM tasks WHERE state = ${stateCode.scheduled} AND run_at <= ? LIMIT 1000)`

/** The oldest of a line, from the first of each priority: a line can hold a million tasks, but hardly a hundred priorities. */
const oldestOf = (line: string) => `
  WITH RECURSIVE used (priority) AS (
    SELECT min(t.priority) FROM tasks t WHERE ${line}
    UNION ALL
    SELECT (SELECT min(t.priority) FROM tasks t WHERE ${line} AND t.priority > used.priority) FROM used
    WHERE used.priority IS NOT NULL LIMIT 100)
  SELECT min((SELECT min(t.run_at) FROM tasks t WHERE ${line} AND t.priority = used.priority)) FROM used`
