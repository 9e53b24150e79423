import { asError, TaskError } from '../core/errors.ts'
import type { Outcome, TaskRecord } from '../engines/engine.ts'
import { decode } from '../tasks/codec.ts'
import type { StoredError, TaskMessage } from '../tasks/message.ts'
import { unstoredReason } from '../tasks/results.ts'
import type { TaskRuntime } from '../tasks/runtime.ts'
import type { ParkReason, TaskState } from '../tasks/states.ts'

/** One run of a task and what it came to. */
export type RanTask = RanFacts &
  (
    | { readonly outcome: 'done'; readonly result: unknown }
    /** It runs again at `runAt`: `clock.advanceTo(runAt)`. */
    | { readonly outcome: 'retry'; readonly error: Error; readonly runAt: Date }
    | { readonly outcome: 'failed'; readonly error: Error }
    | { readonly outcome: 'parked'; readonly reason: ParkReason; readonly error: Error }
    /** Its process has died, as the test has asked; `state` says what became of the task. */
    | { readonly outcome: 'crashed'; readonly error: Error }
    /** What it came to was not recorded: the task was handed out again meanwhile, or given up by an operator. */
    | { readonly outcome: 'lost'; readonly error: Error }
  )

interface RanFacts {
  readonly id: string
  readonly name: string
  /** 1 for the first run. */
  readonly attempt: number
  /** Of the task after this run. */
  readonly state: TaskState
}

/** What an attempt came to, and what was really thrown in it. */
export interface Came {
  readonly outcome: Outcome
  readonly thrown: Error | undefined
}

/** Facts of a run. `record` is the task as it stands after it. */
export function factsOf(message: TaskMessage, attempt: number, record: TaskRecord | undefined): RanFacts {
  // A task that is gone was settled: only those can be removed.
  return { id: message.id, name: message.name, attempt, state: record?.state ?? 'done' }
}

/** A run whose outcome was recorded. */
export function recorded(facts: RanFacts, { outcome, thrown }: Came, models: TaskRuntime['models']): RanTask {
  switch (outcome.kind) {
    case 'done':
      return { ...facts, outcome: 'done', result: resultOf(outcome.result, models) }
    case 'retry':
      return {
        ...facts,
        outcome: 'retry',
        error: errorOf(outcome.error, thrown),
        runAt: new Date(outcome.runAt),
      }
    case 'failed':
      return { ...facts, outcome: 'failed', error: errorOf(outcome.error, thrown) }
    case 'parked':
      return {
        ...facts,
        outcome: 'parked',
        reason: outcome.reason,
        error: errorOf(outcome.error, thrown),
      }
    case 'crashed':
      return { ...facts, outcome: 'crashed', error: errorOf(outcome.error, thrown) }
    case 'returned':
      return { ...facts, outcome: 'crashed', error: died('before it had begun this task') }
  }
}

/** A run that died with its process. */
export function crashed(facts: RanFacts, error: Error): RanTask {
  return { ...facts, outcome: 'crashed', error }
}

/** A run whose outcome came too late. */
export function lost(facts: RanFacts, { outcome }: Came): RanTask {
  const text = `What this run came to (${outcome.kind}) was not recorded: its lease was lost meanwhile`
  return { ...facts, outcome: 'lost', error: new TaskError('LEASE_LOST', text) }
}

/** The error of a process that the test lets die. */
export function died(when: string): TaskError {
  return new TaskError('EXECUTOR_DIED', `The process died ${when}, as the test has asked`)
}

function resultOf(stored: string, models: TaskRuntime['models']): unknown {
  return unstoredReason(stored) === undefined ? decode(stored, models) : undefined
}

/** What was thrown, with its stack; only the engine's own verdicts have none. */
function errorOf(stored: StoredError, thrown: Error | undefined): Error {
  return thrown === undefined ? new TaskError(stored.code ?? 'TASK_FAILED', stored.message) : asError(thrown)
}

/** Runs that have ended badly, in words; each with the stack of what was thrown. */
export function describeFailures(ran: readonly RanTask[]): string {
  return ran.map(describeFailure).join('\n\n')
}

function describeFailure(run: RanTask): string {
  const task = `Task ${run.name} (${run.id})`
  if (run.outcome === 'done') return `${task} is done`
  const how = run.outcome === 'parked' ? `is parked as ${run.reason}` : `${run.outcome}`
  return `${task} ${how} in attempt ${run.attempt}: ${run.error.stack ?? run.error.message}`
}
