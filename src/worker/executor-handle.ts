import { emit } from '../core/events.ts'
import type { Lease } from '../engines/engine.ts'
import type { Child } from '../supervisor/child.ts'
import type { StoredError } from '../tasks/message.ts'
import {
  type Ended,
  type FromExecutor,
  type ParkedTask,
  packOrders,
  type Ready,
  type ToExecutor,
  unpackEnded,
} from './channel.ts'
import { monotonicMs } from './clock.ts'
import { Hand, type Held } from './hand.ts'
import type { Mark } from './mark.ts'
import { Outgoing } from './outgoing.ts'
import type { Pace } from './pace.ts'
import { mayJoin, roomOf } from './prefetch.ts'
import { SignsOfLife } from './signs-of-life.ts'
import { StartWindow } from './start-window.ts'

/** How an attempt has ended, as told by its executor. */
export interface EndedAttempt extends Pick<Ended, 'outcome' | 'ms'> {
  readonly lease: Lease
}

/** What was in the hands of an executor. */
export interface Remains {
  /** May have run in it. */
  readonly begun: readonly Lease[]
  readonly unbegun: readonly Lease[]
}

export interface HandleListener {
  ended(handle: ExecutorHandle, ended: readonly EndedAttempt[]): void
  /** Not begun in it: to be handed out again. */
  back(handle: ExecutorHandle, leases: readonly Lease[]): void
  /** It takes work again. */
  available(handle: ExecutorHandle): void
  memory(handle: ExecutorHandle, rssMiB: number): void
}

export interface HandleOptions {
  /** For people: `executor 3`. */
  readonly name: string
  readonly concurrency: number
  readonly mark: Mark
  readonly pace: Pace
  readonly listener: HandleListener
  /** Starts its process, which tells `hear` what it says. */
  start(hear: (message: object) => void): Child
}

/**
 * One executor as its worker sees it: what it has in hand, whether it may get more, when it was heard last. Knows nothing of where outcomes go
 * nor of other executors.
 */
export class ExecutorHandle {
  readonly name: string
  readonly child: Child
  /** What it knows; undefined until it is ready. */
  ready: Ready | undefined
  /** Gets no more work and is stopped when its hands are empty. */
  retired = false
  /** What it has said before it ended by itself. */
  lastWords: StoredError | undefined
  readonly #options: HandleOptions
  readonly #hand = new Hand()
  readonly #signs = new SignsOfLife()
  readonly #bornAt = monotonicMs()
  readonly #outgoing = new Outgoing()
  readonly #startWindow = new StartWindow()
  #alone = false
  #clogged = false

  constructor(options: HandleOptions) {
    this.name = options.name
    this.#options = options
    this.child = options.start((message) => this.#hear(message))
  }

  get ageMs(): number {
    return monotonicMs() - this.#bornAt
  }

  get inHand(): number {
    return this.#hand.count
  }

  /** Runs a suspect, and therefore nothing else. */
  get alone(): boolean {
    return this.#alone
  }

  /** Ready, and takes work now: it answers, and its channel is not full. */
  isAvailable(now: number): boolean {
    if (this.ready === undefined || this.retired || this.#clogged || this.#signs.isMute) return false
    return this.inHand === 0 || !this.#signs.isSilent(now)
  }

  /** Whether this one may be handed over now, to an available executor. */
  hasRoomFor(lease: Lease): boolean {
    return !this.#alone && mayJoin(this.#hand, lease, this.#options)
  }

  /** How many more it takes, whatever they are. */
  get free(): number {
    return this.#alone ? 0 : Math.max(0, this.#options.concurrency - this.#hand.count)
  }

  /** How many more it takes, if they are like what has run lately. */
  room(): number {
    return this.#alone ? 0 : roomOf(this.#hand, this.#options)
  }

  /** Whether its hands should be empty soon, if it gets nothing more: it is known how long all of it takes, and nothing seems to hang. */
  get endsSoon(): boolean {
    return Number.isFinite(this.#hand.expectedMs) && !this.#hand.mayHang(monotonicMs())
  }

  /** Takes a lease on; `flush` sends it. */
  hand(lease: Lease): void {
    const now = monotonicMs()
    if (this.inHand === 0) this.#signs.heard(now)
    this.#outgoing.add(this.#hand.add(lease, this.#options.pace.expected(lease.message.name), now))
    this.#alone = lease.suspect
    const { id, name } = lease.message
    emit('task.handed', { taskId: id, name, executor: this.name, attempt: lease.attempt })
  }

  /** Sends what was handed over, as far as the channel takes it; the rest follows when that is written. */
  flush(): void {
    while (!this.#clogged) {
      const slice = this.#outgoing.nextSlice()
      if (slice.length === 0) return
      this.#run(slice)
    }
  }

  /** Asks it to tell the service of a parked task; there is no answer. */
  reportParked(parked: ParkedTask): void {
    this.#send({ type: 'parked', parked })
  }

  /** Takes back what was handed over too long ago and certainly was not begun. It gets nothing more until it is heard again. */
  takeBackOverdue(now: number): readonly Lease[] {
    const { oldest } = this.#hand
    if (oldest === undefined || now - oldest < marginMs) return []
    const { unbegun } = this.#split()
    const overdue = unbegun.filter((held) => now >= this.#latestStart(held) + marginMs)
    if (overdue.length === 0) return []
    this.#outgoing.drop(overdue)
    this.#signs.mustSpeak(now)
    this.#send({ type: 'ping' })
    return this.#take(overdue.map(({ number }) => number))
  }

  /** Has nothing in hand and has not spoken for very long. */
  isLost(now: number): boolean {
    return this.inHand === 0 && this.#signs.isLost(now)
  }

  /** Says once that its loop is blocked, and by what. */
  reportBlocked(now: number): void {
    if (this.inHand === 0) return
    const ms = this.#signs.blockedMs(now)
    if (ms === undefined) return
    emit('executor.blocked', { executor: this.name, ms, tasks: namesOf(this.remains().begun) })
  }

  /** Whether there is anything to watch about it. */
  get isWatched(): boolean {
    return this.inHand > 0 || this.#signs.isMute
  }

  /** To be called once, after its process has ended and its remains were taken. */
  close(): void {
    this.#options.mark.close()
  }

  /** What is in its hands, divided by what it has come to. Final once its process has ended. */
  remains(): Remains {
    const { begun, unbegun } = this.#split()
    return { begun: begun.map(({ lease }) => lease), unbegun: unbegun.map(({ lease }) => lease) }
  }

  #split(): ReturnType<Hand['split']> {
    return this.#hand.split(this.#options.mark.read(this.#hand.newest))
  }

  #hear(message: object): void {
    const now = monotonicMs()
    const away = !this.isAvailable(now)
    this.#signs.heard(now)
    // Its executor.ts says nothing else.
    const said = message as FromExecutor
    if (said.type === 'report') this.#report(said)
    else if (said.type === 'alive') this.#options.listener.memory(this, said.rssMiB)
    else if (said.type === 'crash') this.lastWords = said.error
    if (away && this.isAvailable(now)) this.#options.listener.available(this)
  }

  #report({ ended, back }: Extract<FromExecutor, { type: 'report' }>): void {
    const { listener, pace } = this.#options
    const attempts: EndedAttempt[] = []
    for (const { number, outcome, ms } of unpackEnded(ended)) {
      const [lease] = this.#take([number])
      if (lease === undefined) continue
      pace.record(lease.message.name, ms)
      attempts.push({ lease, outcome, ms })
    }
    const leases = this.#take(back)
    if (back.length > 0) this.#startWindow.late()
    else this.#startWindow.inTime()
    if (leases.length > 0) listener.back(this, leases)
    if (attempts.length > 0) listener.ended(this, attempts)
  }

  /** Out of its hands; numbers of what was taken before are left out. */
  #take(numbers: readonly number[]): Lease[] {
    const leases = numbers.flatMap((number) => this.#hand.remove(number)?.lease ?? [])
    if (this.inHand === 0) this.#alone = false
    return leases
  }

  #run(slice: readonly Held[]): void {
    const startBy = monotonicMs() + this.#startWindow.ms
    const orders = slice.map((held) => {
      held.startBy = startBy
      const { number, lease } = held
      return { number, message: lease.message, attempt: lease.attempt, failures: lease.failures }
    })
    this.#send({ type: 'run', startBy, orders: packOrders(orders) })
  }

  /** What waits to be sent may do so for as long as the executor is heard. */
  #latestStart({ startBy }: Held): number {
    return startBy ?? this.#signs.heardAt + this.#startWindow.ms
  }

  #send(message: ToExecutor): void {
    if (!this.child.send(message, () => this.#written())) this.#clogged = true
  }

  #written(): void {
    if (!this.#clogged) return
    this.#clogged = false
    this.flush()
    if (this.isAvailable(monotonicMs())) this.#options.listener.available(this)
  }
}

export function namesOf(leases: readonly Lease[]): readonly string[] {
  return leases.map(({ message }) => message.name)
}

/** The worker takes back later than the executor may begin. */
const marginMs = 250
