import type { TaskState } from '../../tasks/states.ts'
import type { TaskRecord, TaskStanding } from '../engine.ts'
import type { Glance } from '../fingerprint.ts'
import { errorOf, type Ledger, ledgerOf, messageOf, noMessage, nothingYet, parsed } from './job.ts'

/** A job as it was read: its fields, and which of BullMQ's sets it is in. In none of them, it waits. */
export interface Seen {
  readonly id: string
  readonly fields: Readonly<Record<string, string>>
  readonly running: boolean
  readonly completed: boolean
  readonly failed: boolean
  readonly delayedScore: number | undefined
}

/** BullMQ's scores of delayed jobs are times in 4096ths of a ms. */
const scoresPerMs = 4096

/**
 * Suspects are dated beyond the last time a Date can hold (8.64e15), by priority and within one by when they were due: to the millisecond for the first 35
 * priorities, since a double holds no odd number beyond 9.007e15.
 */
const firstSuspectMs = 8.65e15
const msPerPriority = 1e13
export const suspectsFrom = firstSuspectMs * scoresPerMs

/** When a suspect would be due, if anything waited for that. */
export function suspectTime(priority: number, due: number): number {
  return firstSuspectMs + priority * msPerPriority + Math.min(Math.max(due, 0), msPerPriority - 1)
}

export function stateOf({ fields, running, completed, failed, delayedScore }: Seen): TaskState {
  if (completed) return 'done'
  if (failed) return failedAs(fields)
  if (running) return 'running'
  if (delayedScore === undefined || delayedScore >= suspectsFrom) return 'queued'
  return 'scheduled'
}

/** A retry takes away the time it was finished, so what was cancelled before it counts no more. */
function failedAs(fields: Seen['fields']): TaskState {
  if (fields.cancelled !== undefined && fields.cancelled === fields.finishedOn) return 'cancelled'
  return ledgerIn(fields)?.reason === undefined ? 'failed' : 'parked'
}

/** The fields of a job that tell how a task stands; with how it ended; with what it was fired with. The last two may be large. */
export const glanceFields = [
  'name',
  'atm',
  'progress',
  'processedOn',
  'finishedOn',
  'cancelled',
  'pb',
] as const
export const standingFields = [...glanceFields, 'returnvalue', 'failedReason', 'stacktrace'] as const
export const recordFields = [...standingFields, 'data'] as const

/** What `glanceFields` tell. */
export function glanceOf(seen: Seen): Glance {
  const { id, fields } = seen
  const state = stateOf(seen)
  const ledger = ledgerIn(fields) ?? nothingYet
  const before = state === 'done' ? (ledgerIn(fields, -1) ?? nothingYet) : ledger
  const attempts = state === 'done' ? before.attempts + 1 : ledger.attempts
  return {
    message: { id, name: fields.name ?? '' },
    state,
    reason: state === 'parked' ? ledger.reason : undefined,
    attempts,
    crashes: before.crashes,
    startedAt: state === 'running' || attempts > 0 ? time(fields.processedOn) : undefined,
    settledAt: time(fields.finishedOn),
    owner: state === 'running' ? fields.pb : undefined,
  }
}

/** What `standingFields` tell. */
export function standingOf(seen: Seen): TaskStanding {
  const { fields } = seen
  const glance = glanceOf(seen)
  const { state } = glance
  return {
    ...glance,
    result: state === 'done' ? resultOf(fields.returnvalue) : undefined,
    error: state === 'done' || state === 'cancelled' ? undefined : errorIn(fields),
  }
}

/** What `recordFields` tell. */
export function recordOf(seen: Seen): TaskRecord {
  const { id, fields, delayedScore } = seen
  const name = fields.name ?? ''
  const message = messageOf(id, name, fields.data ?? '') ?? noMessage(id, name)
  const standing = standingOf(seen)
  const isScheduled = standing.state === 'scheduled'
  const runAt = isScheduled ? Math.floor((delayedScore ?? 0) / scoresPerMs) : message.runAt
  return { ...standing, message, runAt }
}

/** The bookkeeping that holds, or held one move earlier: completing a job moves it and writes none. */
function ledgerIn(fields: Seen['fields'], step = 0): Ledger | undefined {
  const moves = Number(fields.atm ?? 0) + step
  const ledger = ledgerOf(parsed(fields.progress ?? ''), moves)
  return ledger ?? (moves === 0 ? nothingYet : undefined)
}

function errorIn(fields: Seen['fields']): TaskRecord['error'] {
  return errorOf(fields.failedReason, fields.stacktrace, ledgerIn(fields)?.code)
}

function time(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

function resultOf(text: string | undefined): string | undefined {
  const result = parsed(text ?? '')
  return typeof result === 'string' ? result : undefined
}
