import { codeOf } from '../../core/errors.ts'
import { emit } from '../../core/events.ts'
import type { Trouble } from '../../core/trouble.ts'
import type { Lease, Outcome } from '../engine.ts'
import { lengthOf, StepSize } from '../step-size.ts'
import { type Completed, completeAll } from './bulk.ts'
import type { Holding } from './held.ts'
import { msFor } from './link.ts'
import { type Ended, record, wasRecorded } from './outcome.ts'
import { probe } from './probe.ts'
import type { Store } from './store.ts'

export interface SettlementsOptions {
  readonly store: Store
  readonly holding: Holding
  readonly trouble: Trouble
  /** Told after each batch: there are children now, or tasks that were returned. */
  readonly onSettled: () => void
  /** Told when a task runs alone next, before its outcome is answered. */
  readonly onSuspect: () => void
}

/** Most outcomes, and most characters, that are on their way at once. */
const batchSize = 200
const batchLength = 1_048_576
const retryMs = 250
/** Of what Redis itself fails at, on one job. */
const mostTries = 40

/**
 * Records how attempts ended, one batch at a time; what ends meanwhile gathers. While Redis fails, it keeps what it has. What it fails at stands in a line of its
 * own: a full Redis takes some outcomes and refuses others.
 */
export class Settlements {
  readonly #options: SettlementsOptions
  readonly #settling = new Set<string>()
  readonly #steps = new StepSize(batchSize, batchSize)
  #pending: Pending[] = []
  /** Those that were tried, and when they are tried again. */
  #again: Pending[] = []
  #againAt = 0
  #awake: (() => void) | undefined
  #working: Promise<void> | undefined
  readonly #late = Promise.withResolvers<undefined>()
  #ended = false

  constructor(options: SettlementsOptions) {
    this.#options = options
  }

  settle(lease: Lease, outcome: Outcome): Promise<'settled' | 'lost'> {
    const held = this.#options.holding.get(lease.token)
    return new Promise((resolve) => {
      const isOurs = held?.message.id === lease.message.id && !this.#settling.has(lease.token)
      if (held === undefined || !isOurs || this.#ended)
        return answer({ lease, outcome, resolve }, false, this.#ended)
      this.#settling.add(lease.token)
      this.#pending.push({ ended: { held, outcome }, lease, outcome, resolve, tries: 0 })
      this.#working ??= this.#work()
      this.#awake?.()
    })
  }

  /** Whether its outcome is known, and only has to be recorded. */
  isSettling(token: string): boolean {
    return this.#settling.has(token)
  }

  /** Records what is pending, for `deadlineMs` at most, and ends: what could not be recorded is lost, and its task runs again. */
  async end(deadlineMs: number): Promise<void> {
    const deadline = setTimeout(() => {
      this.#ended = true
      this.#late.resolve(undefined)
      this.#awake?.()
    }, deadlineMs)
    await this.#working
    clearTimeout(deadline)
    this.#ended = true
    for (const pending of [...this.#again.splice(0), ...this.#pending.splice(0)]) this.#abandon(pending)
  }

  async #work(): Promise<void> {
    // After what else ends in this turn of the loop.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#pending.length + this.#again.length > 0 && !this.#ended) {
      if (this.#pending.length === 0) await this.#rest()
      const line = this.#again.length > 0 && performance.now() >= this.#againAt ? this.#again : this.#pending
      if (line.length === 0) continue
      const batch = line.splice(0, lengthOfStep(line, this.#steps.now))
      const began = performance.now()
      const left = await this.#record(batch)
      this.#steps.took(batch.length, lengthOfAll(batch), performance.now() - began)
      if (left.length > 0) this.#againAt = performance.now() + retryMs
      this.#again.push(...left)
      if (left.length < batch.length) this.#options.onSettled()
    }
    this.#working = undefined
  }

  /** Until something is to be tried again, or more has ended. */
  async #rest(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#awake = resolve
    const alarm = setTimeout(resolve, Math.max(0, this.#againAt - performance.now()))
    await promise
    clearTimeout(alarm)
    this.#awake = undefined
  }

  /** Those that are still to be recorded. */
  async #record(batch: readonly Pending[]): Promise<readonly Pending[]> {
    const { trouble } = this.#options
    const ordered = inOrder(batch)
    const ends = await Promise.race([this.#endsOf(ordered), this.#late.promise])
    if (ends === undefined) return ordered
    const left: Pending[] = []
    const isTheirFault =
      ordered.some((pending) => isTriedOut(pending, ends.get(pending))) && (await this.#works())
    for (const pending of ordered) {
      const end = ends.get(pending)
      if (end?.status === 'fulfilled') trouble.worked()
      else trouble.failed(end?.reason)
      if (end?.status === 'fulfilled') this.#close(pending, end.value)
      else if (isTheirFault && isTriedOut(pending, end)) this.#abandon(pending)
      else left.push({ ...pending, tries: pending.tries + 1 })
    }
    const count = [...ends.values()].filter((end) => end?.status === 'fulfilled' && end.value).length
    if (count > 0) emit('task.settled', { count })
    return left
  }

  /** What ended well goes in few steps, and then one by one what they don't do; so does what was tried before: who knows how far that went. Both may take their time. */
  async #endsOf(batch: readonly Pending[]): Promise<Ends> {
    const ms = msFor(lengthOfAll(batch))
    const plain = batch.flatMap((pending) => completedOf(pending) ?? [])
    const alone = this.#oneByOne(plain.length === batch.length ? [] : batch.filter(isNotPlain), ms)
    const { ends, undone } = await this.#inSteps(plain, ms)
    const others = undone.length === 0 ? [] : await this.#oneByOne(undone, ms)
    for (const [pending, end] of [...others, ...(await alone)]) ends.set(pending, end)
    return ends
  }

  async #inSteps(batch: readonly Plain[], ms: number): Promise<{ ends: Ends; undone: readonly Pending[] }> {
    const { store } = this.#options
    const steps = completeAll(store, batch)
    const answers = await store.link.ends(
      ms,
      steps.map((step) => step.answers),
    )
    const ends: Ends = new Map()
    const undone: Pending[] = []
    for (const [index, { items }] of steps.entries()) {
      const answer = answers[index]
      for (const [at, { pending }] of items.entries()) {
        if (answer?.status === 'fulfilled' && answer.value[at]) ends.set(pending, completed)
        else if (answer?.status === 'rejected' && codeOf(answer.reason) !== 'STORE_FAILED')
          ends.set(pending, answer)
        // What Redis itself fails at may be the fault of one job, which must not stop the others.
        else undone.push(pending)
      }
    }
    return { ends, undone }
  }

  async #oneByOne(batch: readonly Pending[], ms: number): Promise<Ends> {
    if (batch.length === 0) return new Map()
    const ends = await this.#options.store.link.ends(
      ms,
      batch.map((pending) => this.#one(pending)),
    )
    return new Map(batch.map((pending, index) => [pending, ends[index]]))
  }

  async #one({ ended, tries }: Pending): Promise<boolean> {
    const { store } = this.#options
    return (await record(store, ended)) || (tries > 0 && (await wasRecorded(store, ended)))
  }

  /** Where Redis works, but not on some jobs, it is what others have made of those: they run again until they are parked for that. */
  async #works(): Promise<boolean> {
    return await probe(this.#options.store).then(
      () => true,
      () => false,
    )
  }

  /** Nobody knows whether it was recorded. */
  #abandon(pending: Pending): void {
    this.#options.holding.abandon(pending.ended.held.token)
    this.#close(pending, false)
  }

  #close(pending: Pending, isKept: boolean): void {
    const { token } = pending.ended.held
    this.#options.holding.remove(token)
    this.#settling.delete(token)
    if (isKept && leavesSuspect(pending)) this.#options.onSuspect()
    answer(pending, isKept, this.#ended)
  }
}

/** How many may go together, one at least. */
function lengthOfStep(pending: readonly Pending[], most: number): number {
  let length = 0
  for (const [index, { outcome }] of pending.slice(0, most).entries()) {
    length += lettersOf(outcome)
    if (length > batchLength && index > 0) return index
  }
  return most
}

function lettersOf(outcome: Outcome): number {
  return outcome.kind === 'done' ? outcome.result.length + lengthOf(outcome.children) : 0
}

function lengthOfAll(batch: readonly Pending[]): number {
  return batch.reduce((sum, { outcome }) => sum + lettersOf(outcome), 0)
}

/** How each has ended. */
type Ends = Map<Pending, PromiseSettledResult<boolean> | undefined>

const completed: PromiseFulfilledResult<boolean> = { status: 'fulfilled', value: true }

/** One that ended well, fired nothing and was not tried before. */
interface Plain extends Completed {
  readonly pending: Pending
}

function completedOf(pending: Pending): Plain | undefined {
  const { held, outcome } = pending.ended
  const isPlain = pending.tries === 0 && outcome.kind === 'done' && outcome.children.length === 0
  return isPlain ? { held, outcome, pending } : undefined
}

function isNotPlain(pending: Pending): boolean {
  return completedOf(pending) === undefined
}

function isTriedOut({ tries }: Pending, end: PromiseSettledResult<boolean> | undefined): boolean {
  return tries >= mostTries && end?.status === 'rejected' && codeOf(end.reason) === 'STORE_FAILED'
}

interface Answerable {
  readonly lease: Lease
  readonly outcome: Outcome
  resolve(answer: 'settled' | 'lost'): void
}

interface Pending extends Answerable {
  readonly ended: Ended
  /** How often it was tried without an answer, or with a failure. */
  readonly tries: number
}

function leavesSuspect({ outcome, ended }: Pending): boolean {
  const wasSuspect = ended.held.ledger.suspect === true
  return outcome.kind === 'crashed' || (outcome.kind === 'returned' && (wasSuspect || outcome.alone === true))
}

/** Tasks go back to the front of the line one by one: the last one taken first, so that they stand as they stood. */
function inOrder(batch: readonly Pending[]): readonly Pending[] {
  const returned = batch.filter(({ outcome }) => outcome.kind === 'returned')
  const others = batch.filter(({ outcome }) => outcome.kind !== 'returned')
  return [...others, ...returned.toSorted((a, b) => b.ended.held.number - a.ended.held.number)]
}

function answer({ lease, outcome, resolve }: Answerable, isKept: boolean, atStop: boolean): void {
  const { id, name } = lease.message
  if (!isKept) emit('lease.lost', { taskId: id, name, outcome: outcome.kind, atStop })
  resolve(isKept ? 'settled' : 'lost')
}
