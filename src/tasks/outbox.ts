import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Scope } from '../core/context.ts'
import { asError, codeOf, StoreError } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import type { EnqueueAnswer } from '../engines/engine.ts'
import type { StagedMessage, TaskMessage } from './message.ts'
import { lettersOf, takeStaged } from './staging.ts'

/** How messages get to the store: `sealAll` is the seal's, `enqueue` the engine's. */
export interface Way {
  sealAll(batch: readonly StagedMessage[]): readonly TaskMessage[]
  enqueue(batch: readonly TaskMessage[]): Promise<readonly EnqueueAnswer[]>
  /** As the engine says of itself; unknown until it is open. Default false. */
  overlaps?(): boolean
}

/**
 * Takes what scopes have collected to the store. What is released in one turn of the loop goes as one batch (as two, where the store overlaps them), so concurrent requests share commits; some batches are
 * in flight at a time, so that the loop and the store work at the same time, and what is released beyond them gathers. Each release is answered for its own
 * messages, and never divided: what a scope has fired is stored together.
 */
export class Outbox {
  readonly #way: Way
  #gathered: Release[] = []
  /** Letters of text that wait, not those in flight. */
  #waiting = 0
  #flights = 0
  #lettersInFlight = 0
  #releasesInFlight = 0
  /** One is about to take off: what is released meanwhile goes with it, and nothing overtakes what is being sealed. */
  #isBoarding = false
  readonly #waitingForLanding: (() => void)[] = []

  constructor(way: Way) {
    this.#way = way
  }

  /** Stores what the scope has staged; from here on it is released. @throws StoreError when not all of it is known to be stored. */
  release(scope: Scope): Promise<void> {
    return this.store(takeStaged(scope))
  }

  /** Stores messages now, in one batch with what others release. @throws StoreError as above, `STORE_BUSY` when too much waits already. */
  store(messages: readonly StagedMessage[]): Promise<void> {
    if (messages.length === 0) return Promise.resolve()
    if (this.#waiting > mostWaiting) return Promise.reject(overfull())
    const letters = messages.reduce((total, message) => total + lettersOf(message), 0)
    this.#waiting += letters
    return new Promise((resolve, reject) => {
      this.#gathered.push({ messages, letters, resolve, reject })
      this.#board()
    })
  }

  /** Resolves when nothing waits to be stored any more. */
  async idle(): Promise<void> {
    while (this.#isBoarding || this.#flights > 0)
      await new Promise<void>((resolve) => this.#waitingForLanding.push(resolve))
  }

  #board(): void {
    const isBusy = this.#flights >= mostFlights || this.#lettersInFlight > mostInFlight
    if (this.#isBoarding || isBusy || this.#gathered.length === 0) return
    this.#isBoarding = true
    // After the requests of this turn of the loop: those that end together are written together.
    setImmediate(() => void this.#fly(this.#takeSome()))
  }

  async #fly(releases: readonly Release[]): Promise<void> {
    const letters = releases.reduce((total, release) => total + release.letters, 0)
    this.#flights++
    this.#lettersInFlight += letters
    this.#releasesInFlight += releases.length
    await this.#write(releases, letters)
    this.#flights--
    this.#lettersInFlight -= letters
    this.#releasesInFlight -= releases.length
    this.#board()
    for (const resolve of this.#waitingForLanding.splice(0)) resolve()
  }

  /** What goes together: all that waits, unless that would keep the loop for long. */
  #takeSome(): readonly Release[] {
    let letters = 0
    const most = this.#mostOfThem
    const end = this.#gathered.findIndex((release, index) => {
      if (index >= most || (index > 0 && letters + release.letters > mostTogether)) return true
      letters += release.letters
      return false
    })
    this.#waiting -= letters
    return this.#gathered.splice(0, end < 0 ? this.#gathered.length : end)
  }

  /** Half of all, where the store can do with one half while the other is sealed, or answered. */
  get #mostOfThem(): number {
    if (this.#way.overlaps?.() !== true) return Number.POSITIVE_INFINITY
    return Math.ceil((this.#gathered.length + this.#releasesInFlight) / 2)
  }

  async #write(releases: readonly Release[], letters: number): Promise<void> {
    const started = performance.now()
    const batch = releases.flatMap((release) => release.messages)
    const answers = await this.#answersFor(batch, letters > mostAtOnce)
    const errors = answers.flatMap((answer) => (answer.stored ? [] : [answer.error]))
    const count = answers.length - errors.length
    if (count > 0) emit('task.stored', { count, ms: performance.now() - started })
    reportFailures(errors)
    if (errors.length > 0) return answerReleases(releases, answers)
    for (const release of releases) release.resolve()
  }

  /** One answer per message, whatever the store does. */
  async #answersFor(batch: readonly StagedMessage[], isLarge: boolean): Promise<readonly EnqueueAnswer[]> {
    try {
      const answers = await (await this.#takeOff(batch, isLarge)).answers
      return batch.map((_, index) => answers[index] ?? { stored: false, error: silent() })
    } catch (thrown) {
      const error = asError(thrown)
      return batch.map(() => ({ stored: false, error }))
    }
  }

  /** From here on the next may go. */
  async #takeOff(batch: readonly StagedMessage[], isLarge: boolean) {
    try {
      const sealed = isLarge ? await this.#sealInParts(batch) : this.#way.sealAll(batch)
      return { answers: this.#way.enqueue(sealed) }
    } finally {
      this.#isBoarding = false
      this.#board()
    }
  }

  /** Between the parts others have their turn. */
  async #sealInParts(batch: readonly StagedMessage[]): Promise<readonly TaskMessage[]> {
    const sealed: TaskMessage[] = []
    for (const part of partsOf(batch)) {
      sealed.push(...this.#way.sealAll(part))
      await nextTurn()
    }
    return sealed
  }
}

/** Batches, and letters (256 Ki), beside which another may be in flight: on a slow network it has to be answered in a time that goes by its own length. */
const mostFlights = 16
const mostInFlight = 262_144

/** Letters that may wait for the store (64 Mi): beyond it the store is too slow for the load, and memory must not pay for that. */
const mostWaiting = 67_108_864

/** Letters of what several scopes have fired that are committed together (4 Mi): 50 ms. */
const mostTogether = 4_194_304

/** Letters that are sealed in one turn of the loop (1 Mi): 15 ms. */
const mostAtOnce = 1_048_576

function partsOf(batch: readonly StagedMessage[]): readonly (readonly StagedMessage[])[] {
  const parts: StagedMessage[][] = []
  let letters = Number.POSITIVE_INFINITY
  for (const message of batch) {
    letters += lettersOf(message)
    if (letters > mostAtOnce) {
      parts.push([])
      letters = lettersOf(message)
    }
    parts.at(-1)?.push(message)
  }
  return parts
}

function overfull(): StoreError {
  return new StoreError(
    'STORE_BUSY',
    'The task store is too slow for the load: 64 MiB of tasks wait for it already',
  )
}

function silent(): StoreError {
  return new StoreError('STORE_SILENT', 'The task store did not answer for every task')
}

interface Release {
  readonly messages: readonly StagedMessage[]
  readonly letters: number
  resolve(): void
  reject(error: Error): void
}

function reportFailures(errors: readonly Error[]): void {
  const [error] = errors
  if (error !== undefined) emit('task.store_failed', { count: errors.length, code: codeOf(error), error })
}

function answerReleases(releases: readonly Release[], answers: readonly EnqueueAnswer[]): void {
  let index = 0
  for (const release of releases) {
    const own = answers.slice(index, index + release.messages.length)
    index += release.messages.length
    const failed = own.find((answer) => !answer.stored)
    if (failed === undefined || failed.stored) release.resolve()
    else release.reject(storeError(failed.error))
  }
}

function storeError(error: Error): StoreError {
  if (error instanceof StoreError) return error
  return new StoreError('STORE_FAILED', `The task store failed: ${error.message}`, { cause: error })
}
