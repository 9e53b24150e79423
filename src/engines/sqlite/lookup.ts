import { setImmediate as nextTurn } from 'node:timers/promises'
import type { TaskState } from '../../tasks/states.ts'
import type { ListFilter, TaskRecord, TaskStanding } from '../engine.ts'
import type { Glance } from '../fingerprint.ts'
import {
  glanceColumns,
  glanceOf,
  recordColumns,
  recordOf,
  recordTables,
  standingColumns,
  standingOf,
  text,
} from './columns.ts'
import type { Reader } from './reader.ts'
import { inLine, settledAs, stateCode } from './schema.ts'
import type { Sql } from './sql.ts'
import { readTotals } from './totals.ts'

/** Finding one task and listing many. */

export function findTask(sql: Sql, id: string): TaskRecord | undefined {
  const row = sql.first(`SELECT ${recordColumns} FROM ${recordTables} WHERE m.id = ?`, id)
  return row && recordOf(row)
}

/** What there is of these tasks, but for what may be large: SQLite doesn't read the pages that hold that. */
export function glanceAt(sql: Sql, ids: readonly string[]): readonly Glance[] {
  return sql.all(selectFrom(glanceColumns), JSON.stringify(ids)).map(glanceOf)
}

/** How these tasks stand. */
export function readStandings(sql: Sql, ids: readonly string[]): readonly TaskStanding[] {
  return sql.all(selectFrom(standingColumns), JSON.stringify(ids)).map(standingOf)
}

function selectFrom(columns: string): string {
  return `SELECT ${columns} FROM ${recordTables} WHERE m.id IN (SELECT value FROM json_each(?))`
}

/** How many tasks one step of a list looks at: a few milliseconds, after which the loop goes on. */
const stepSize = 2_000

/**
 * Tasks by filter, newest first. Goes down the index of ids in steps, so that looking for three tasks of a name among a million others holds
 * nobody up; a state that few tasks are in is looked up by itself.
 */
export async function listTasks(reader: Reader, filter: ListFilter): Promise<readonly TaskRecord[]> {
  const rare = await reader.read((sql) => readRare(sql, filter))
  if (rare !== undefined) return rare
  const limit = filter.limit ?? 50
  const found: TaskRecord[] = []
  let before = filter.before ?? lastId
  while (found.length < limit) {
    const step = await reader.read((sql) => readStep(sql, before, { ...filter, limit: limit - found.length }))
    found.push(...step.found)
    if (step.end === undefined) return found
    before = step.end
    await nextTurn()
  }
  return found
}

/** Sorts behind every id. */
const lastId = '\u{10ffff}'

/** All tasks of the filter's state, where they are few; undefined otherwise. */
function readRare(sql: Sql, filter: ListFilter): readonly TaskRecord[] | undefined {
  const { state, name = null, queue = null, before = lastId, limit = 50 } = filter
  if (state === undefined || readTotals(sql)[state] > stepSize) return undefined
  const rows = sql.all(
    `SELECT ${recordColumns} FROM tasks t CROSS JOIN messages m ON m.seq = t.seq LEFT JOIN owners o ON o.number = t.owner
    WHERE (${inState[state]}) AND m.id < ? AND m.name = ifnull(?, m.name) AND m.queue = ifnull(?, m.queue)
    ORDER BY m.id DESC LIMIT ?`,
    ...[before, name, queue, limit],
  )
  return rows.map(recordOf)
}

const inState: Readonly<Record<TaskState, string>> = {
  scheduled: `t.state = ${stateCode.scheduled}`,
  queued: `${inLine.ordinary} OR ${inLine.alone}`,
  running: `t.state = ${stateCode.running}`,
  done: settledAs('done'),
  failed: settledAs('failed'),
  cancelled: settledAs('cancelled'),
  parked: settledAs('parked'),
}

interface Step {
  readonly found: readonly TaskRecord[]
  /** The last id it looked at; undefined at the end of the list. */
  readonly end: string | undefined
}

function readStep(sql: Sql, before: string, { state, name, queue, limit = 50 }: ListFilter): Step {
  const end = sql.first(
    'SELECT id FROM messages WHERE id < ? ORDER BY id DESC LIMIT 1 OFFSET ?',
    before,
    stepSize - 1,
  )
  const rows = sql.all(
    `SELECT ${recordColumns} FROM ${recordTables}
    WHERE m.id < ? AND m.id >= ? AND t.state = ifnull(?, t.state) AND m.name = ifnull(?, m.name) AND m.queue = ifnull(?, m.queue)
    ORDER BY m.id DESC LIMIT ?`,
    ...[before, end === undefined ? '' : text(end[0])],
    ...[state === undefined ? null : stateCode[state], name ?? null, queue ?? null, limit],
  )
  return { found: rows.map(recordOf), end: end && text(end[0]) }
}
