import { randomInt } from 'node:crypto'
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { codeOf } from '../../core/errors.ts'
import { emit } from '../../core/events.ts'
import type { Trouble } from '../../core/trouble.ts'
import type { Consumer, Lease, Outcome } from '../engine.ts'
import { StepSize } from '../step-size.ts'
import { batchSize, type Claim, type Claimed, claim, lookForWaiting } from './claim.ts'
import type { Transaction } from './connection.ts'
import { isDamage } from './failures.ts'
import { type Ended, type Recorded, settle } from './outcome.ts'
import { divideByRoom } from './outcome-room.ts'
import { ownNumber } from './owners.ts'
import { busy, waitYielding } from './patience.ts'
import type { Store } from './store.ts'
import { unpark } from './unpark.ts'

export interface TurnsOptions {
  readonly owner: string
  readonly store: Store
  readonly consumer: Pick<Consumer, 'slots' | 'run'>
  readonly now: () => number
  readonly trouble: Pick<Trouble, 'failed'>
  /** Told when the store could be read and written. */
  readonly onWrite: () => void
  /** Told that there is room, and nothing that waits. */
  readonly onIdle: () => void
}

/** After a failure of the store, and how late a jump of the clock is noticed. */
const retryMs = 250
const longestSleepMs = 1_000

/**
 * The worker's side of the store: in each turn, what has ended is recorded and what waits is claimed, in one transaction of at most a
 * hundred of each. A turn comes when something may be to do, after what else the loop had to do, so that outcomes gather.
 */
export class Turns {
  readonly #options: TurnsOptions
  #pending: Pending[] = []
  #turning: Promise<void> | undefined
  #wanted = false
  #claims = false
  #ended = false
  #durable = false
  #failedAt = Number.NEGATIVE_INFINITY
  /** To be put back with the next claim. */
  #parked: readonly number[] = noSeqs
  readonly #steps = new StepSize(batchSize, batchSize)
  /** One task may be read where many can't. */
  readonly #claimSteps = new StepSize(batchSize, batchSize)
  #alarm: NodeJS.Timeout | undefined
  /** Starts anywhere, so that no two workers, nor a store and the one that replaced it, know the same lease. */
  #lease = randomInt(2 ** 47)

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /** Something may be to do. */
  request(): void {
    this.#wanted = true
    if (!this.#ended) this.#turning ??= this.#turnAll()
  }

  settle(lease: Lease, outcome: Outcome): Promise<'settled' | 'lost'> {
    return new Promise((resolve) => {
      const pending = { ended: { lease, outcome }, resolve }
      if (this.#ended) return answer(pending, false, true)
      this.#pending.push(pending)
      this.request()
    })
  }

  /**
   * Puts parked tasks back into the queue with the next claims, as many as there is room for: between the two an older worker that is idle would take them, and park them
   * again.
   */
  putBack(seqs: readonly number[]): void {
    this.#parked = seqs
    this.request()
  }

  /** Begins to claim. */
  begin(): void {
    this.#claims = true
    this.request()
  }

  /** Claims nothing more; resolves when the last leases are handed out. */
  async pause(): Promise<void> {
    this.#claims = false
    await this.#turning
  }

  /** Records what is pending, for `deadlineMs` at most, and ends: what could not be recorded is lost, and its task runs again. */
  async end(deadlineMs: number): Promise<void> {
    await this.pause()
    const deadline = performance.now() + deadlineMs
    while (this.#pending.length > 0 && performance.now() < deadline) {
      this.#failedAt = Number.NEGATIVE_INFINITY
      this.request()
      await this.#turning
      if (this.#pending.length > 0) await delay(retryMs / 5)
    }
    this.#ended = true
    clearTimeout(this.#alarm)
    for (const pending of this.#pending.splice(0)) answer(pending, false, true)
  }

  async #turnAll(): Promise<void> {
    while (this.#wanted) {
      await nextTurn()
      this.#wanted = false
      await this.#turn()
    }
    this.#turning = undefined
  }

  async #turn(): Promise<void> {
    const wait = this.#failedAt + retryMs - performance.now()
    if (wait > 0) return this.#wakeIn(wait)
    const batch = this.#takePending()
    try {
      const work = this.#findWork()
      if (batch.length > 0 || work !== undefined) await this.#exchange(batch, work)
    } catch (error) {
      // The next look finds them again.
      this.#parked = noSeqs
      this.#options.trouble.failed(error)
      await this.#keepAfter(error, batch)
      // One may fit where many don't.
      if (codeOf(error) === 'STORE_FULL') this.#steps.failed()
      if (isDamage(error)) this.#claimSteps.failed()
      this.#failedAt = performance.now()
      this.#wakeIn(retryMs)
    }
  }

  /** Damage that a claim meets may be none to the outcomes; those that it keeps from being recorded wait behind the others. */
  async #keepAfter(error: unknown, batch: readonly Pending[]): Promise<void> {
    if (!isDamage(error)) this.#pending.unshift(...batch)
    else if (batch.length > 0) await this.#exchange(batch, undefined).catch(() => this.#putBehind(batch))
  }

  #putBehind(batch: readonly Pending[]): void {
    this.#pending.push(...batch)
    this.#steps.failed()
  }

  /** What there is no room for waits behind the rest. */
  #takePending(): readonly Pending[] {
    const { store, trouble } = this.#options
    const { fitting, left, lacking } = divideByRoom(store, this.#pending.splice(0, this.#steps.now))
    if (lacking === undefined) return fitting
    this.#pending.push(...left)
    trouble.failed(lacking)
    this.#wakeIn(retryMs)
    return fitting
  }

  /** What a claim would take and has room for, looked up without a lock; undefined where that is nothing. */
  #findWork(): Work | undefined {
    if (!this.#claims) return undefined
    const { store, consumer, now } = this.#options
    const free = consumer.slots()
    const most = Math.min(this.#steps.now, this.#claimSteps.now)
    const ordinary = Math.min(free.ordinary, most)
    const alone = Math.min(free.alone, most)
    if (ordinary <= 0 && alone <= 0) return undefined
    const waiting = store.tryRead(lookForWaiting)
    // The write that follows waits for the lock.
    if (waiting === busy) return { slots: { ordinary, alone }, promotes: true }
    const wait = (waiting.dueAt ?? Number.POSITIVE_INFINITY) - now()
    if (wait > 0 && wait < Number.POSITIVE_INFINITY) this.#wakeIn(Math.min(wait, longestSleepMs))
    const promotes = wait <= 0
    // An empty line is not asked: node:sqlite makes the names of all columns before it finds that there is no row.
    const slots = {
      ordinary: waiting.ordinary || promotes || this.#parked.length > 0 ? ordinary : 0,
      alone: waiting.alone || promotes ? alone : 0,
    }
    if (slots.ordinary > 0 || slots.alone > 0) return { slots, promotes }
    if (ordinary > 0) this.#options.onIdle()
    return undefined
  }

  async #exchange(batch: readonly Pending[], work: Work | undefined): Promise<void> {
    const { store, owner, now } = this.#options
    const terms = { lease: this.#lease++, durable: this.#durable }
    const parked = this.#parked.slice(0, work?.slots.ordinary ?? 0)
    const exchange = (transaction: Transaction) => {
      const time = now()
      const kept = batch.map(({ ended }) => settle(transaction, ended, time))
      if (work === undefined) return { kept, claimed: nothing }
      unpark(transaction, parked)
      const number = ownNumber(transaction, owner, time)
      return { kept, claimed: claim(transaction, { ...terms, ...work, owner: number, now: time }) }
    }
    const { kept, claimed } = await waitYielding(() => store.tryWrite(exchange, terms.durable), store.file)
    if (parked.length > 0) this.#parked = this.#parked.filter((seq) => !parked.includes(seq))
    this.#options.onWrite()
    this.#steps.took(batchSize, 0, 0)
    if (work !== undefined) this.#claimSteps.took(batchSize, 0, 0)
    this.#report(batch, kept)
    this.#handOut(claimed)
  }

  #report(batch: readonly Pending[], kept: readonly Recorded[]): void {
    if (batch.length === 0) return
    for (const [index, pending] of batch.entries()) answer(pending, kept[index] ?? false, false)
    emit('task.settled', { count: kept.filter((one) => one !== false).length })
    // There are children now, or room, or tasks that were returned.
    this.#wanted = true
  }

  #handOut({ leases, metAtMostOnce }: Claimed): void {
    this.#durable = metAtMostOnce
    // What was not claimed in this turn may be in the next.
    if (leases.length > 0 || metAtMostOnce) this.#wanted = true
    if (leases.length === 0) return
    emit('task.claimed', { count: leases.length, owner: this.#options.owner })
    this.#options.consumer.run(leases)
  }

  #wakeIn(ms: number): void {
    clearTimeout(this.#alarm)
    this.#alarm = setTimeout(() => this.request(), ms)
  }
}

/** What a claim is for. */
type Work = Pick<Claim, 'slots' | 'promotes'>

const noSeqs: readonly number[] = []
const nothing: Claimed = { leases: [], metAtMostOnce: false }

interface Pending {
  readonly ended: Ended
  resolve(answer: 'settled' | 'lost'): void
}

function answer({ ended, resolve }: Pending, recorded: Recorded, atStop: boolean): void {
  if (recorded !== true) tell(ended, recorded, atStop)
  resolve(recorded === false ? 'lost' : 'settled')
}

function tell({ lease, outcome }: Ended, fault: false | Error, atStop: boolean): void {
  const about = { taskId: lease.message.id, name: lease.message.name, outcome: outcome.kind }
  if (fault === false) emit('lease.lost', { ...about, atStop })
  else emit('outcome.unstorable', { ...about, message: fault.message })
}
