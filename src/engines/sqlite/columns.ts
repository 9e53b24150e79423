import type { SQLOutputValue } from 'node:sqlite'
import { StoreError } from '../../core/errors.ts'
import type { StoredError, TaskMessage } from '../../tasks/message.ts'
import { type ParkReason, parkReasons, type TaskState, taskStates } from '../../tasks/states.ts'
import type { Lease, TaskRecord, TaskStanding } from '../engine.ts'
import type { Glance } from '../fingerprint.ts'
import type { Row } from './sql.ts'

/**
 * Columns to values and back. The tables are STRICT, so a column of the wrong type means that something else has written the file.
 */

type Column = SQLOutputValue | undefined

export function integer(value: Column): number {
  if (typeof value === 'number') return value
  throw unreadable('a number', value)
}

export function text(value: Column): string {
  if (typeof value === 'string') return value
  throw unreadable('text', value)
}

function integerOrNone(value: Column): number | undefined {
  return value === null ? undefined : integer(value)
}

function textOrNone(value: Column): string | undefined {
  return value === null ? undefined : text(value)
}

/** The columns of a message, from alias `m`. */
export const messageColumns =
  'm.id, m.name, m.queue, m.priority, m.run_at, m.fired_at, m.at_most_once, m.args, m.options, m.context'

const messageWidth = 10

/** Whether the message of a row that begins with it must not start twice. */
export function isAtMostOnce(row: Row): boolean {
  return row[6] === 1
}

/** A message from a row that begins with its columns. */
function messageOf(row: Row): TaskMessage {
  return {
    id: text(row[0]),
    name: text(row[1]),
    queue: text(row[2]),
    priority: integer(row[3]),
    runAt: integer(row[4]),
    firedAt: integer(row[5]),
    atMostOnce: isAtMostOnce(row),
    args: text(row[7]),
    options: text(row[8]),
    context: text(row[9]),
  }
}

/** The columns of a lease, from aliases `m` and `t`. */
export const leaseColumns = `${messageColumns}, t.seq, t.attempts, t.failures, t.crashes, t.suspect`
export const seqColumn = messageWidth

/** A lease under the claim `lease`: `seq` and claim together are its token. */
export function leaseOf(row: Row, lease: number): Lease {
  const at = seqColumn
  return {
    token: `${integer(row[at])}.${lease}`,
    message: messageOf(row),
    attempt: integer(row[at + 1]) + 1,
    failures: integer(row[at + 2]),
    crashes: integer(row[at + 3]),
    suspect: row[at + 4] === 1,
  }
}

/** What a token stands for; numbers that match nothing where it is none of ours. */
export function readToken(token: string): { readonly seq: number; readonly lease: number } {
  const dot = token.indexOf('.')
  const seq = Number(token.slice(0, dot))
  const lease = Number(token.slice(dot + 1))
  return Number.isSafeInteger(seq) && Number.isSafeInteger(lease) ? { seq, lease } : { seq: -1, lease: -1 }
}

const positionColumns = 't.state, t.reason, t.attempts, t.crashes, t.started_at, t.settled_at, o.id'
const endColumns = 't.result, t.error'

/** The columns of a glance, of a standing and of a record, and what they are selected from. */
export const glanceColumns = `m.id, m.name, ${positionColumns}`
export const standingColumns = `${glanceColumns}, ${endColumns}`
export const recordColumns = `${messageColumns}, ${positionColumns}, ${endColumns}, t.run_at`
export const recordTables =
  'messages m CROSS JOIN tasks t ON t.seq = m.seq LEFT JOIN owners o ON o.number = t.owner'

export function glanceOf(row: Row): Glance {
  return { message: { id: text(row[0]), name: text(row[1]) }, ...positionAt(row, 2) }
}

export function standingOf(row: Row): TaskStanding {
  return { ...glanceOf(row), ...endAt(row, 9) }
}

export function recordOf(row: Row): TaskRecord {
  const at = messageWidth
  return {
    message: messageOf(row),
    ...positionAt(row, at),
    ...endAt(row, at + 7),
    runAt: integer(row[at + 9]),
  }
}

function positionAt(row: Row, at: number): Omit<Glance, 'message'> {
  return {
    state: stateOf(row[at]),
    reason: reasonOf(row[at + 1]),
    attempts: integer(row[at + 2]),
    crashes: integer(row[at + 3]),
    startedAt: integerOrNone(row[at + 4]),
    settledAt: integerOrNone(row[at + 5]),
    owner: textOrNone(row[at + 6]),
  }
}

function endAt(row: Row, at: number): Pick<TaskStanding, 'result' | 'error'> {
  return { result: textOrNone(row[at]), error: readError(textOrNone(row[at + 1])) }
}

export function stateOf(value: Column): TaskState {
  const state = taskStates[integer(value)]
  if (state === undefined) throw unreadable('a state', value)
  return state
}

function reasonOf(value: Column): ParkReason | undefined {
  return parkReasons.find((reason) => reason === value)
}

export function errorText(error: StoredError): string {
  return JSON.stringify(error)
}

function readError(stored: string | undefined): StoredError | undefined {
  // Written by errorText only.
  return stored === undefined ? undefined : (JSON.parse(stored) as StoredError)
}

function unreadable(wanted: string, value: Column): StoreError {
  return new StoreError(
    'STORE_CORRUPT',
    `The task store holds ${value === null ? 'nothing' : `a ${typeof value}`} where ${wanted} should be: something other than Macaron has written it. Nothing was removed.`,
  )
}
