import { on } from '../core/events.ts'
import type { Lease, Outcome, TaskRecord } from '../engines/engine.ts'
import type { StoredError } from '../tasks/message.ts'
import { defaultOptions } from '../tasks/options.ts'
import { storedError } from '../tasks/retry.ts'
import { type AttemptTools, runAttempt } from '../worker/attempt.ts'
import { blame } from '../worker/blame.ts'
import { reportParked } from '../worker/report-parked.ts'
import type { FaultPlan, RunFault } from './faults.ts'
import type { FiredLog } from './fired.ts'
import { type Came, crashed, died, factsOf, lost, type RanTask, recorded } from './ran-task.ts'
import { withinRealTime } from './real-time.ts'
import type { Held, TestWorker } from './test-worker.ts'

export interface RunnerParts {
  readonly worker: TestWorker
  readonly tools: AttemptTools
  readonly faults: FaultPlan
  readonly log: FiredLog
  readonly now: () => number
  /** Runs code by the service's clock, and lets it fire into the service's store. */
  readonly inside: <T>(fn: () => T) => T
  readonly find: (id: string) => Promise<TaskRecord | undefined>
}

/**
 * Runs tasks in this process through the code that executors run them with, and settles them as a worker does, unless the test has asked for something to go
 * wrong.
 */
export class Runner {
  readonly #parts: RunnerParts

  constructor(parts: RunnerParts) {
    this.#parts = parts
  }

  claim(): Promise<Held | undefined> {
    return this.#parts.worker.claim()
  }

  /** One run, of at most `limitMs` of real time. @throws MacaronError `TASK_STUCK` naming the task. */
  async run(held: Held, limitMs: number): Promise<RanTask> {
    const { lease } = held
    const fault = this.#parts.faults.forRun(lease.message.name)
    if (fault?.kind === 'crash' && fault.after !== 'ran') return await this.#die(held, fault)
    const came = await this.#attempt(lease, limitMs)
    if (fault?.kind === 'crash') return await this.#die(held, fault)
    if (fault?.kind === 'twice') return await this.#comeLate(held, came)
    return await this.#settle(held, came)
  }

  async #attempt(lease: Lease, limitMs: number): Promise<Came> {
    const { message, attempt, failures } = lease
    let thrown: Error | undefined
    const end = on('attempt.end', (ended) => {
      if (ended.taskId === message.id && ended.attempt === attempt) thrown = ended.error
    })
    const { inside, tools } = this.#parts
    const running = inside(() => runAttempt({ number: 1, message, attempt, failures }, tools))
    try {
      const outcome = await withinRealTime(running, limitMs, { name: message.name, id: message.id })
      return { outcome, thrown }
    } finally {
      end()
    }
  }

  async #settle(held: Held, came: Came): Promise<RanTask> {
    const { message, attempt } = held.lease
    const { log, find, tools } = this.#parts
    const answer = await held.settle(came.outcome)
    const facts = factsOf(message, attempt, await find(message.id))
    if (answer === 'lost') return lost(facts, came)
    if (came.outcome.kind === 'done') log.add(came.outcome.children, message.id)
    return recorded(facts, came, tools.runtime.models)
  }

  #die(held: Held, fault: Extract<RunFault, { kind: 'crash' }>): Promise<RanTask> {
    return fault.process === 'worker' ? this.#loseWorker(held) : this.#loseExecutor(held, fault.after)
  }

  /** What the worker makes of it: what was not begun goes back as if it had not been taken, the rest is a suspect from here on. */
  async #loseExecutor(held: Held, after: 'claimed' | 'begun' | 'ran'): Promise<RanTask> {
    const thrown = died(after === 'ran' ? 'after the task had run' : 'when it had begun this task')
    const death = {
      asked: false,
      error: storedError(thrown),
      expiresAt: this.#parts.now() + defaultOptions.keep.failed,
    }
    const outcome: Outcome = after === 'claimed' ? { kind: 'returned' } : blame(held.lease, death)
    const ran = await this.#settle(held, { outcome, thrown })
    if (ran.outcome === 'parked') this.#report(held, death.error)
    return ran
  }

  /** What the next worker makes of it: it gives back all that the dead one held. */
  async #loseWorker(held: Held): Promise<RanTask> {
    const { message, attempt } = held.lease
    const { worker, find } = this.#parts
    const end = await worker.die()
    await end()
    const record = await find(message.id)
    if (record?.state === 'parked') this.#report(held, record.error)
    return crashed(factsOf(message, attempt, record), died('with its worker'))
  }

  #report({ lease: { message, attempt } }: Held, error: StoredError = { message: 'It was parked' }): void {
    reportParked({ message, attempt, error }, this.#parts.tools)
  }

  /** The worker seems dead and isn't: what it has to say comes when its tasks are with the next one. */
  async #comeLate(held: Held, came: Came): Promise<RanTask> {
    const end = await this.#parts.worker.die()
    const ran = await this.#settle(held, came)
    await end()
    return ran
  }
}
