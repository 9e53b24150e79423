import { type Duration, milliseconds } from '../core/duration.ts'
import { MacaronError, TaskError } from '../core/errors.ts'
import { show } from '../core/show.ts'
import type { Task } from '../tasks/async-task.ts'
import type { TaskRuntime } from '../tasks/runtime.ts'
import { type AnyTask, type FiredLog, type FiredTask, firedTask } from './fired.ts'
import { describeFailures, type RanTask } from './ran-task.ts'
import type { Runner } from './runner.ts'
import type { Held } from './test-worker.ts'

export interface RunOptions {
  /** Longest real time that a run may take. Default 5 s. */
  readonly timeout?: Duration
}

export interface DrainOptions extends RunOptions {
  /** Most runs: more are a task that fires itself again and again. Default 1000. */
  readonly limit?: number
  /** Runs side by side. Default 1: one after the other, in the order in which a worker would begin them. */
  readonly concurrency?: number
  /** Tasks may fail and be parked: the runs say so. Default false, where the drain throws in the end. */
  readonly mayFail?: boolean
}

/** The tasks of a service under test. Nothing runs by itself. */
export class TestTasks {
  readonly #runner: Runner
  readonly #runtime: TaskRuntime
  readonly #log: FiredLog

  constructor({ runner, runtime, log }: { runner: Runner; runtime: TaskRuntime; log: FiredLog }) {
    this.#runner = runner
    this.#runtime = runtime
    this.#log = log
  }

  /** The calls of a task (of all tasks) that were stored for this service, in that order; what was dropped with its request is not among them. */
  fired(): readonly FiredTask<readonly unknown[], unknown>[]
  fired<Args extends readonly unknown[], Result>(
    task: Task<Args, Result>,
  ): readonly FiredTask<Args, Awaited<Result>>[]
  fired(task?: AnyTask): readonly FiredTask<unknown, unknown>[] {
    return this.#log.of(task?.taskName).map((entry) => firedTask(entry, this.#runtime))
  }

  /** The one call of a task. @throws MacaronError `NOT_FIRED_ONCE` where there was none, or more than one; it says what was fired. */
  firedOnce<Args extends readonly unknown[], Result>(
    task: Task<Args, Result>,
  ): FiredTask<Args, Awaited<Result>> {
    const calls = this.fired(task)
    const [only] = calls
    if (only === undefined || calls.length > 1) throw this.#notOnce(task.taskName, calls)
    return only
  }

  /** Runs the task that a worker would take next, once; undefined where none is due. @throws MacaronError `TASK_STUCK`. */
  async runNext(options: RunOptions = {}): Promise<RanTask | undefined> {
    const limitMs = limitOf(options)
    const held = await this.#runner.claim()
    return held === undefined ? undefined : await this.#runner.run(held, limitMs)
  }

  /**
   * Runs everything that is due, and what that fires, until nothing is due any more. What is delayed or waits for its next attempt waits for
   * `clock.advance`.
   * @throws TaskError `TASKS_FAILED` where a task has failed or was parked, with the stack of what was thrown; MacaronError `TASK_STUCK`, `DRAIN_ENDLESS`.
   */
  async drain(options: DrainOptions = {}): Promise<readonly RanTask[]> {
    const ran = await this.#runAll(options)
    const failures = ran.filter(({ outcome }) => outcome === 'failed' || outcome === 'parked')
    if (failures.length > 0 && options.mayFail !== true) throw failed(failures, ran.length)
    return ran
  }

  async #runAll(options: DrainOptions): Promise<readonly RanTask[]> {
    const limitMs = limitOf(options)
    const { limit = 1000, concurrency = 1 } = options
    const ran: RanTask[] = []
    const running = new Set<Promise<void>>()
    const begin = (held: Held) => {
      const run = this.#runner.run(held, limitMs).then((one) => void ran.push(one))
      running.add(run)
      void run.then(
        () => running.delete(run),
        () => undefined,
      )
    }
    for (;;) {
      // A task that waits for another one may have just fired it.
      const added = this.#log.added()
      const held = running.size < concurrency ? await this.#runner.claim() : undefined
      if (held !== undefined) {
        if (ran.length + running.size >= limit) await refuse(held, ran)
        begin(held)
      } else if (running.size === 0) return ran
      else await Promise.race([...running, added])
    }
  }

  #notOnce(name: string, calls: readonly FiredTask<readonly unknown[], unknown>[]): MacaronError {
    const found =
      calls.length > 1
        ? `was fired ${calls.length} times:\n${calls.map(({ args }) => `  ${name}(${args.map((arg) => show(arg)).join(', ')})`).join('\n')}`
        : `was not fired. ${this.#othersFired()}`
    return new MacaronError('NOT_FIRED_ONCE', `Task ${name} ${found}`)
  }

  #othersFired(): string {
    const names = [...new Set(this.#log.of(undefined).map(({ message }) => message.name))]
    return names.length === 0 ? 'Nothing was.' : `Fired were: ${names.join(', ')}.`
  }
}

function limitOf({ timeout }: RunOptions): number {
  return milliseconds(timeout ?? 5_000, 'timeout')
}

function failed(failures: readonly RanTask[], runs: number): TaskError {
  const count = failures.length === 1 ? 'A task has' : `${failures.length} of ${runs} runs have`
  return new TaskError('TASKS_FAILED', `${count} failed:\n\n${describeFailures(failures)}`, {
    cause: causeOf(failures),
  })
}

function causeOf(failures: readonly RanTask[]): unknown {
  const errors = failures.flatMap((run) => (run.outcome === 'done' ? [] : [run.error]))
  return errors.length === 1 ? errors[0] : errors
}

async function refuse(held: Held, ran: readonly RanTask[]): Promise<never> {
  await held.settle({ kind: 'returned' })
  throw endless(ran)
}

function endless(ran: readonly RanTask[]): MacaronError {
  const counts = Map.groupBy(ran, ({ name }) => name)
  const most = [...counts]
    .toSorted((a, b) => b[1].length - a[1].length)
    .slice(0, 3)
    .map(([name, runs]) => `${name} (${runs.length} times)`)
  return new MacaronError(
    'DRAIN_ENDLESS',
    `After ${ran.length} runs tasks are still due; most often ran ${most.join(', ')}. Do they fire each other? If so many are meant, raise drain({ limit }).`,
  )
}
