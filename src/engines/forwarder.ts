import { asError, codeOf } from '../core/errors.ts'
import { growingPauseMs } from '../core/growing-pause.ts'
import type { Stoppable } from '../core/lifecycle.ts'
import { Trouble } from '../core/trouble.ts'
import type { TaskMessage } from '../tasks/message.ts'
import { runAtOf } from '../tasks/stored-options.ts'
import type { Consumption, Engine, EnqueueAnswer, Lease, Outcome, Slots } from './engine.ts'
import { takenAwayAt } from './losses.ts'
import { lengthOf, StepSize } from './step-size.ts'

export interface ForwarderOptions {
  readonly from: Engine
  /** Stores messages where they belong, as an engine's `enqueue`. */
  store(batch: readonly TaskMessage[]): Promise<readonly EnqueueAnswer[]>
  /** So many have been stored there, or refused for good. */
  onForwarded(count: number): void
  /** Nothing is left to forward, for now. */
  onEmpty(): void
}

const mostAtOnce = 100
const keepRefusedMs = 7 * 86_400_000
const lookAgainMs = 1_000

/**
 * Takes what waits in one engine to another store, the oldest first, until nothing is left. To the engine it is a worker: what it has taken and not forwarded
 * when its process dies is given back there, and forwarded by another. What the store refuses for good is parked.
 */
export class Forwarder implements Stoppable {
  readonly #options: ForwarderOptions
  readonly #trouble = new Trouble()
  #consumption: Promise<Consumption> | undefined
  #isBusy = false
  /** The store has failed, and is asked again when the alarm goes. */
  #rests = false
  #failures = 0
  readonly #steps = new StepSize(mostAtOnce, mostAtOnce)
  #alarm: NodeJS.Timeout | undefined
  /** How often it was said that there may be something. */
  #begun = 0
  #isStopped = false

  constructor(options: ForwarderOptions) {
    this.#options = options
  }

  /** To be called when there may be something to forward. */
  begin(): void {
    this.#begun++
    if (this.#isStopped || this.#consumption !== undefined) return
    const consumption = this.#options.from.consume({
      names: () => [],
      keys: () => [],
      slots: () => this.#slots(),
      run: (leases) => void this.#forward(leases),
      sweep: async () => true,
    })
    this.#consumption = consumption
    consumption.then(
      () => this.#endWhenEmpty(),
      (error: unknown) => this.#beginLater(error),
    )
  }

  /** What has not been forwarded stays where it is. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#alarm)
    const consumption = await this.#consumption?.catch(() => undefined)
    await consumption?.stop()
  }

  #beginLater(error: unknown): void {
    this.#consumption = undefined
    this.#trouble.failed(error)
    this.#wakeIn(growingPauseMs(++this.#failures), () => this.begin())
  }

  #slots(): Slots {
    if (this.#isBusy || this.#rests || this.#isStopped) return noSlots
    return { ordinary: this.#steps.now, alone: this.#steps.now }
  }

  /** Nothing is held while the store is away: deaths of processes meanwhile are not counted against what they held. */
  async #forward(leases: readonly Lease[]): Promise<void> {
    this.#isBusy = true
    const began = performance.now()
    const outcomes = (await this.#answersFor(leases)).map(outcomeOf)
    const ms = performance.now() - began
    const consumption = await this.#consumption
    await Promise.all(
      leases.map((lease, index) => consumption?.settle(lease, outcomes[index] ?? { kind: 'returned' })),
    )
    this.#isBusy = false
    const left = outcomes.filter(({ kind }) => kind === 'returned').length
    if (left < leases.length) this.#options.onForwarded(leases.length - left)
    this.#failures = left === 0 ? 0 : this.#failures + 1
    if (left === 0) this.#steps.took(leases.length, lengthOf(leases.map(({ message }) => message)), ms)
    else this.#steps.failed()
    if (left > 0) this.#rest(growingPauseMs(this.#failures))
    else await this.#endWhenEmpty()
  }

  async #answersFor(leases: readonly Lease[]): Promise<readonly EnqueueAnswer[]> {
    try {
      return await this.#options.store(leases.map(({ message }) => ({ ...message, runAt: dueOf(message) })))
    } catch (thrown) {
      const error = asError(thrown)
      return leases.map(() => ({ stored: false, error }))
    }
  }

  #rest(ms: number): void {
    this.#rests = true
    this.#wakeIn(ms, () => {
      this.#rests = false
      void this.#endWhenEmpty()
    })
  }

  /** What others hold is this one's again when they die, so it stays until they have forwarded it. */
  async #endWhenEmpty(): Promise<void> {
    const { from, onEmpty } = this.#options
    const [current, begun] = [this.#consumption, this.#begun]
    if (current === undefined) return
    // The store may be failing, or closed by now.
    const left = await from
      .purge({})
      .then(() => from.counts())
      .catch(() => undefined)
    const consumption = await current
    if (this.#isStopped || this.#isBusy || this.#rests || this.#consumption !== current) return
    if (left === undefined || left.queued + left.running > 0) {
      consumption?.more()
      this.#wakeIn(lookAgainMs, () => void this.#endWhenEmpty())
      return
    }
    await consumption?.stop()
    if (this.#consumption !== current) return
    this.#consumption = undefined
    // Something came in between.
    if (this.#begun !== begun) this.begin()
    else onEmpty()
  }

  #wakeIn(ms: number, work: () => void): void {
    clearTimeout(this.#alarm)
    if (!this.#isStopped) this.#alarm = setTimeout(work, ms)
  }
}

const noSlots: Slots = { ordinary: 0, alone: 0 }

/** One whose options can't be read is no message of ours: whoever opens its seal parks it. */
function dueOf(message: TaskMessage): number {
  try {
    return runAtOf(message)
  } catch {
    return 0
  }
}

/** `returned` where it is to be tried again. */
function outcomeOf(answer: EnqueueAnswer): Outcome {
  if (answer.stored) return { kind: 'done', result: '', children: [], expiresAt: takenAwayAt }
  const { message } = answer.error
  const code = codeOf(answer.error)
  if (code !== 'STORE_REFUSED') return { kind: 'returned' }
  return {
    kind: 'parked',
    reason: 'refused',
    error: { code, message },
    expiresAt: Date.now() + keepRefusedMs,
  }
}
