import { waitAtMost } from '../core/at-most.ts'
import { codeOf } from '../core/errors.ts'
import { growingPauseMs } from '../core/growing-pause.ts'
import type { Stoppable } from '../core/lifecycle.ts'
import { Trouble } from '../core/trouble.ts'
import type { TaskMessage } from '../tasks/message.ts'
import { runAtOf } from '../tasks/stored-options.ts'
import { answersOf, failureIn } from './answers.ts'
import type { Consumption, Engine, EnqueueAnswer, Lease, Outcome, Slots } from './engine.ts'
import { takenAwayAt } from './losses.ts'
import { lengthOf, StepSize } from './step-size.ts'

export interface ForwarderOptions {
  readonly from: Engine
  /** Stores messages where they belong, as an engine's `enqueue`. */
  store(batch: readonly TaskMessage[]): Promise<readonly EnqueueAnswer[]>
  /** How long a stop waits for the store's answer, where nothing can be lost by that. Default: as long as it takes. */
  readonly stopWithinMs?: number
  /** Whether why the store fails was told by another. Default: it never was. */
  isTold?(failure: Error): boolean
  /** So many have been stored there, or refused for good. */
  onForwarded(count: number): void
  /** Nothing is left to forward, for now. */
  onEmpty(): void
  /** Something waits, and for some seconds the engine has handed out none of it; said once until it does. */
  onHeldUp?(): void
}

const mostAtOnce = 100
const keepRefusedMs = 7 * 86_400_000
const lookAgainMs = 1_000
/** So many looks in a row that find the same. */
const heldUpLooks = 5

/**
 * Takes what waits in one engine to another store, the oldest first, until nothing is left. To the engine it is a worker: what it has taken and not forwarded
 * when its process dies is given back there, and forwarded by another. What the store refuses for good is parked. While the store fails it goes on trying, and
 * tells of it once.
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
  /** How often it was said that there may be something, or there was. */
  #begun = 0
  /** How many looks have found something that waits, since some was handed out. */
  #idleLooks = 0
  /** The batch that was handed out last: until the engine was told how it ended. */
  #underWay: Promise<void> | undefined
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
      run: (leases) => {
        this.#underWay = this.#forward(leases)
      },
      sweep: async () => true,
      forwards: true,
    })
    this.#consumption = consumption
    consumption.then(
      () => this.#endWhenEmpty(),
      (error: unknown) => this.#beginLater(error),
    )
  }

  /** Waits for the store's answer to what is under way. What has not been forwarded stays where it is. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#alarm)
    const consumption = await this.#consumption?.catch(() => undefined)
    if (consumption !== undefined) await this.#end(consumption)
  }

  /** Holds nothing any more when it gives up: what it then held, and must not start twice, would count as lost, though the store may have it. */
  async #end(consumption: Consumption): Promise<void> {
    const { stopWithinMs } = this.#options
    await consumption.pause()
    await (stopWithinMs === undefined ? this.#underWay : waitAtMost(stopWithinMs, this.#underWay))
    await consumption.stop()
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

  /**
   * Resolves when the engine was told how they ended, which it records however long that takes. Nothing is held while the store is away: deaths of processes
   * meanwhile are not counted against what they held.
   */
  async #forward(leases: readonly Lease[]): Promise<void> {
    this.#isBusy = true
    this.#begun++
    this.#idleLooks = 0
    const outcomes = await this.#outcomesOf(leases)
    const consumption = await this.#consumption
    const settled = leases.map((lease, index) =>
      consumption?.settle(lease, outcomes[index] ?? { kind: 'returned' }),
    )
    const left = outcomes.filter(({ kind }) => kind === 'returned').length
    if (left < leases.length) this.#options.onForwarded(leases.length - left)
    void Promise.all(settled).then(() => this.#goOn(left))
  }

  /** What comes while it is told to stop is not given to the store any more. */
  async #outcomesOf(leases: readonly Lease[]): Promise<readonly Outcome[]> {
    if (this.#isStopped) return leases.map(() => ({ kind: 'returned' }))
    const began = performance.now()
    const messages = leases.map(({ message }) => message)
    const batch = messages.map((message) => ({ ...message, runAt: dueOf(message) }))
    const answers = await answersOf(batch, (all) => this.#options.store(all))
    const failure = failureIn(answers)
    if (failure === undefined) {
      this.#trouble.worked()
      this.#steps.took(leases.length, lengthOf(messages), performance.now() - began)
    } else {
      if (!this.#isStopped && this.#options.isTold?.(failure) !== true) this.#trouble.failed(failure)
      this.#steps.failed()
    }
    return answers.map(outcomeOf)
  }

  /** `left`: how many of the last batch the store did not take. */
  #goOn(left: number): void {
    this.#isBusy = false
    this.#failures = left === 0 ? 0 : this.#failures + 1
    if (left > 0) this.#rest(growingPauseMs(this.#failures))
    else void this.#endWhenEmpty()
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
    const { from, onEmpty, onHeldUp } = this.#options
    const [current, begun] = [this.#consumption, this.#begun]
    if (current === undefined || this.#isStopped) return
    // The store may be failing, or closed by now.
    const left = await from
      .purge({})
      .then(() => from.counts())
      .catch(() => undefined)
    const consumption = await current
    if (this.#isStopped || this.#isBusy || this.#rests || this.#consumption !== current) return
    if (left === undefined || left.queued + left.running > 0) {
      consumption.more()
      this.#wakeIn(lookAgainMs, () => void this.#endWhenEmpty())
      if (left !== undefined && left.queued > 0 && ++this.#idleLooks === heldUpLooks) onHeldUp?.()
      return
    }
    await this.#end(consumption)
    if (this.#consumption !== current) return
    this.#consumption = undefined
    // Something came in between.
    if (this.#begun !== begun) return this.begin()
    this.#trouble.worked()
    onEmpty()
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
