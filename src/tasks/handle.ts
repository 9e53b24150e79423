import { currentContext, type Scope } from '../core/context.ts'
import { type Duration, milliseconds } from '../core/duration.ts'
import { TaskError } from '../core/errors.ts'
import type { TaskRecord } from '../engines/engine.ts'
import { decode } from './codec.ts'
import { describeFailure, unstoredReason } from './results.ts'
import { currentRuntime, type TaskRuntime } from './runtime.ts'
import { isSettled, type TaskState } from './states.ts'

/** What is known of a fired task now. Times are ms since epoch. */
export interface TaskStatus {
  readonly id: string
  readonly name: string
  /** `staged` until the scope that fired it is released, `unknown` when its retention has passed or it was dropped. */
  readonly state: TaskState | 'staged' | 'unknown'
  readonly attempts: number
  readonly startedAt: number | undefined
  readonly settledAt: number | undefined
  readonly error: { readonly code?: string; readonly message: string } | undefined
}

/** A fired task. Awaiting the handle itself gives the handle; what waits for the task is `result()`. */
export class TaskHandle<Result> {
  readonly id: string
  readonly name: string
  readonly #runtime: TaskRuntime
  readonly #scope: Scope | undefined
  readonly #stored: Promise<void> | undefined

  /** `origin`: the scope that will release it, or the promise of its being stored. */
  constructor(
    task: { id: string; name: string },
    runtime: TaskRuntime,
    origin: { scope?: Scope; stored?: Promise<void> },
  ) {
    this.id = task.id
    this.name = task.name
    this.#runtime = runtime
    this.#scope = origin.scope
    this.#stored = origin.stored
  }

  /** Where the task stands. @throws StoreError when the store can't be read. */
  async status(): Promise<TaskStatus> {
    const engine = await this.#runtime.engine()
    const record = await engine.find(this.id)
    if (record !== undefined) return statusOf(record)
    const state = this.#scope?.state === 'open' ? 'staged' : 'unknown'
    return {
      id: this.id,
      name: this.name,
      state,
      attempts: 0,
      startedAt: undefined,
      settledAt: undefined,
      error: undefined,
    }
  }

  /**
   * Waits for the task's result, at most `timeout` (default 30 s).
   * @throws TaskError `TASK_NOT_RELEASED` within the scope that has yet to release it, `SCOPE_DROPPED` when that scope was dropped,
   * `TASK_FAILED`, `TASK_CANCELLED`, `TASK_PARKED`, `RESULT_NOT_STORED` for a result that can't travel, `RESULT_TIMEOUT`.
   */
  async result(options: { readonly timeout?: Duration } = {}): Promise<Result> {
    const timeout = milliseconds(options.timeout ?? 30_000, 'timeout')
    this.#refuseOwnScope()
    await this.#stored
    const record = await this.#settled(timeout)
    if (record.state !== 'done' || record.result === undefined) throw describeFailure(record)
    const reason = unstoredReason(record.result)
    if (reason !== undefined)
      throw new TaskError(
        'RESULT_NOT_STORED',
        `Task ${this.name} is done, but its result was not stored: ${reason}`,
      )
    // The codec gives back what the task returned, whose type is Result.
    return decode(record.result, this.#runtime.models) as Result
  }

  /** Cancels the task if it has not started; false when it was too late. A staged task is simply not fired. */
  async cancel(): Promise<boolean> {
    if (this.#scope?.state === 'open' && this.#unstage()) return true
    await this.#stored
    const engine = await this.#runtime.engine()
    return (await engine.cancel(this.id)).done
  }

  #unstage(): boolean {
    const staged = this.#scope?.staged ?? []
    const index = staged.findIndex(
      (message) =>
        typeof message === 'object' && message !== null && 'id' in message && message.id === this.id,
    )
    if (index >= 0) staged.splice(index, 1)
    return index >= 0
  }

  #refuseOwnScope(): void {
    if (this.#scope?.state === 'dropped') {
      throw new TaskError(
        'SCOPE_DROPPED',
        `Task ${this.name} was never stored: the request or attempt that fired it did not succeed`,
      )
    }
    if (this.#scope?.state !== 'open' || currentContext()?.scope !== this.#scope) return
    throw new TaskError(
      'TASK_NOT_RELEASED',
      `Task ${this.name} is stored when this ${currentContext()?.task === undefined ? 'request' : 'attempt'} has succeeded, so its result can't be waited for here. Fire it with ${this.name}.fire.now(...) to store it at once.`,
    )
  }

  async #settled(timeout: number): Promise<TaskRecord> {
    const engine = await this.#runtime.engine()
    const { promise, resolve, reject } = Promise.withResolvers<TaskRecord>()
    const unwatch = engine.watch(this.id, (record) => {
      if (record !== undefined && isSettled(record.state)) resolve(record)
      else if (this.#scope?.state === 'dropped')
        reject(new TaskError('SCOPE_DROPPED', `Task ${this.name} was never stored`))
    })
    const timer = setTimeout(() => {
      reject(
        new TaskError(
          'RESULT_TIMEOUT',
          `Task ${this.name} (${this.id}) has no result after ${timeout} ms; it goes on. Ask status(), or wait longer: result({ timeout })`,
        ),
      )
    }, timeout)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      unwatch()
    }
  }
}

/** The handle of a task whose id was kept elsewhere. @throws TaskError `ASYNC_OFF`, `NO_SERVICE`. */
export function taskHandle(id: string): TaskHandle<unknown> {
  return new TaskHandle({ id, name: 'unknown' }, currentRuntime(id), {})
}

function statusOf(record: TaskRecord): TaskStatus {
  const { message, state, attempts, startedAt, settledAt, error } = record
  return { id: message.id, name: message.name, state, attempts, startedAt, settledAt, error }
}
