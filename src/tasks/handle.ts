import { currentContext, type Scope } from '../core/context.ts'
import { type Duration, milliseconds } from '../core/duration.ts'
import { TaskError } from '../core/errors.ts'
import type { TaskStanding } from '../engines/engine.ts'
import { decode } from './codec.ts'
import { unstoredReason, withoutResult } from './results.ts'
import { currentRuntime, type TaskRuntime } from './runtime.ts'
import { unstage } from './staging.ts'
import { isSettled, type TaskState } from './states.ts'

/** What is known of a fired task now. Times are ms since epoch. */
export interface TaskStatus {
  readonly id: string
  readonly name: string
  /** `staged` until the scope that fired it is released; `unknown` where it was dropped or removed, or its retention has passed. */
  readonly state: TaskState | 'staged' | 'unknown'
  readonly attempts: number
  readonly startedAt: number | undefined
  readonly settledAt: number | undefined
  readonly error: { readonly code?: string; readonly message: string } | undefined
}

/** Where a handle's task comes from: the scope that will release it, or the promise of its being stored. */
export interface Origin {
  readonly scope?: Scope
  readonly stored?: Promise<void>
}

/** A fired task. Awaiting the handle itself gives the handle; what waits for the task is `result()`. */
export class TaskHandle<Result> {
  readonly id: string
  readonly name: string
  readonly #runtime: TaskRuntime
  readonly #scope: Scope | undefined
  readonly #stored: Promise<void> | undefined
  #unstaged = false
  /** At the last look of whoever waits. */
  #isKnown = true

  constructor(task: { id: string; name: string }, runtime: TaskRuntime, { scope, stored }: Origin) {
    this.id = task.id
    this.name = task.name
    this.#runtime = runtime
    this.#scope = scope
    this.#stored = stored
  }

  /** Where the task stands. @throws StoreError when it could not be stored, or the store can't be read. */
  async status(): Promise<TaskStatus> {
    await this.#stored
    const engine = await this.#runtime.engine()
    const record = await engine.find(this.id)
    return record === undefined ? this.#unstored() : statusOf(record)
  }

  /**
   * Waits for the task's result, at most `timeout` (default 30 s, at most 24 days).
   * @throws TaskError `TASK_NOT_RELEASED` within the scope that has yet to release it, `SCOPE_DROPPED` when that scope was dropped,
   * `TASK_FAILED`, `TASK_CANCELLED`, `TASK_PARKED`, `RESULT_NOT_STORED` for a result that can't travel, `RESULT_TIMEOUT`;
   * MessageError `UNDECODABLE` for one of another version; StoreError when the task could not be stored.
   */
  async result(options: { readonly timeout?: Duration } = {}): Promise<Result> {
    const timeout = milliseconds(options.timeout ?? 30_000, 'timeout')
    this.#refuseToWait()
    const record = await this.#settled(Math.min(timeout, longestTimer))
    if (record.state !== 'done' || record.result === undefined) throw withoutResult(record)
    const reason = unstoredReason(record.result)
    if (reason !== undefined) throw resultNotStored(record.message, reason)
    // The codec gives back what the task returned, whose type is Result.
    return decode(record.result, this.#runtime.models) as Result
  }

  /** Cancels the task if it has not started; false when it was too late. A staged task is simply not fired. */
  async cancel(): Promise<boolean> {
    if (this.#unstage()) return true
    await this.#stored
    const engine = await this.#runtime.engine()
    return (await engine.cancel(this.id)).done
  }

  #unstored(): TaskStatus {
    const waits = this.#scope?.state === 'open' ? 'staged' : 'unknown'
    return {
      id: this.id,
      name: this.name,
      state: this.#unstaged ? 'cancelled' : waits,
      attempts: 0,
      startedAt: undefined,
      settledAt: undefined,
      error: undefined,
    }
  }

  #unstage(): boolean {
    // Only an open scope has anything staged.
    if (this.#scope !== undefined && unstage(this.#scope, this.id)) this.#unstaged = true
    return this.#unstaged
  }

  #refuseToWait(): void {
    if (this.#unstaged)
      throw new TaskError('TASK_CANCELLED', `Task ${this.name} was cancelled before it was stored`)
    if (this.#scope?.state === 'dropped') throw neverStored(this.name)
    const context = currentContext()
    if (this.#scope?.state === 'open' && context?.scope === this.#scope) {
      throw notReleased(this.name, context.task === undefined ? 'request' : 'attempt')
    }
  }

  async #settled(timeout: number): Promise<TaskStanding> {
    const { promise, resolve, reject } = Promise.withResolvers<TaskStanding>()
    const timer = setTimeout(() => reject(this.#tooLate(timeout)), timeout)
    const watching = this.#watch(resolve)
    watching.catch(reject)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      // Also where the watch only begins after the time is up.
      watching.then(
        (unwatch) => unwatch(),
        () => undefined,
      )
    }
  }

  async #watch(settle: (record: TaskStanding) => void): Promise<() => void> {
    await this.#stored
    const engine = await this.#runtime.engine()
    return engine.watch(this.id, (record) => {
      this.#isKnown = record !== undefined
      if (record !== undefined && isSettled(record.state)) settle(record)
    })
  }

  #tooLate(timeout: number): TaskError {
    if (this.#scope?.state === 'dropped') return neverStored(this.name)
    if (!this.#isKnown)
      return new TaskError(
        'RESULT_TIMEOUT',
        `Task ${this.id} was not found in the store for ${timeout} ms: it was never stored, or not yet, or was removed, or its \`keep\` has passed`,
      )
    return new TaskError(
      'RESULT_TIMEOUT',
      `Task ${this.name} (${this.id}) has no result after ${timeout} ms. Nothing has stopped it: ask status(), or wait longer with result({ timeout })`,
    )
  }
}

/** The handle of a task whose id was kept elsewhere. @throws TaskError `ASYNC_OFF`, `NO_SERVICE`. */
export function taskHandle(id: string): TaskHandle<unknown> {
  return new TaskHandle({ id, name: 'unknown' }, currentRuntime(id), {})
}

/** What timers can hold. */
const longestTimer = 2_147_483_647

function statusOf(record: TaskStanding): TaskStatus {
  const { message, state, attempts, startedAt, settledAt, error } = record
  return { id: message.id, name: message.name, state, attempts, startedAt, settledAt, error }
}

function neverStored(name: string): TaskError {
  return new TaskError(
    'SCOPE_DROPPED',
    `Task ${name} was never stored: the request or attempt that fired it did not succeed`,
  )
}

function notReleased(name: string, scope: 'request' | 'attempt'): TaskError {
  return new TaskError(
    'TASK_NOT_RELEASED',
    `Task ${name} is stored when this ${scope} has succeeded, so its result can't be waited for here. Fire it with ${name}.fire.now(...) to store it at once.`,
  )
}

function resultNotStored({ id, name }: TaskStanding['message'], reason: string): TaskError {
  return new TaskError(
    'RESULT_NOT_STORED',
    `Task ${name} (${id}) is done, but its result was not stored: ${reason}`,
  )
}
