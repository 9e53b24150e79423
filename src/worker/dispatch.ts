import { emit } from '../core/events.ts'
import type { Consumption, Lease, Outcome, Slots } from '../engines/engine.ts'
import { type ChildEnd, describeEnd } from '../supervisor/child-end.ts'
import type { StoredError } from '../tasks/message.ts'
import { blame } from './blame.ts'
import { monotonicMs } from './clock.ts'
import type { EndedAttempt, ExecutorHandle, Remains } from './executor-handle.ts'
import { Killers } from './killers.ts'
import type { Pool, PoolListener } from './pool.ts'
import type { Watch } from './watch.ts'

export interface DispatchOptions {
  /** How many executors are wished for. */
  readonly executors: number
  /** How long a task parked by the worker is kept, in ms. */
  readonly keepMs: number
}

/** Whom it works with; known only after the store was asked for the worker's name. */
export interface Colleagues {
  readonly consumption: Pick<Consumption, 'settle' | 'more'>
  readonly pool: Pick<Pool, 'handles' | 'isExtra' | 'addExtra' | 'emptied'>
  readonly watch: Pick<Watch, 'wake'>
}

/**
 * Decides which lease goes to which executor, and what becomes of it: its outcome, another executor, or back to the store. What finds no room now is
 * given back at once, so that no task waits in a worker while it could run elsewhere.
 *
 * Suspects run alone. At most half of the executors (at least one) are used so; when none is idle, one whose tasks end soon is kept free,
 * else the pool gets one executor more. Tasks whose name ends one executor after another are kept back and run like suspects, and only where another
 * executor is there for all the others (`killers.ts`).
 */
export class Dispatch implements PoolListener {
  readonly #options: DispatchOptions
  #suspects: Lease[] = []
  readonly #killers = new Killers(() => this.#lookAtKillers())
  #colleagues: Colleagues | undefined
  /** Gets nothing new until it is empty: a suspect waits for it. */
  #reserved: ExecutorHandle | undefined
  /** Until a task that will end its executor gets the last one. */
  #waiting: NodeJS.Timeout | undefined
  #hasWaited = false
  #unsettled = 0
  /** What was offered beyond free slots did not fit: until an executor has room again, only those are. */
  #isFull = false
  #closed = false

  constructor(options: DispatchOptions) {
    this.#options = options
  }

  /** Before this, `slots` offers nothing. */
  begin(colleagues: Colleagues): void {
    this.#colleagues = colleagues
  }

  /** What the engine may hand out now. */
  slots(): Slots {
    if (this.#closed || this.#unsettled >= mostUnsettled) return noSlots
    const now = monotonicMs()
    const available = this.#available(now)
    if (available.length === 0) return noSlots
    const open = this.#forOrdinary(available)
    const room = open.reduce((sum, handle) => sum + (this.#isFull ? handle.free : handle.room()), 0)
    const ordinary = this.#killers.isFull ? 0 : room
    return { ordinary, alone: Math.max(0, this.#freeLanes() - this.#suspects.length) }
  }

  /** Hands leases out. */
  take(leases: readonly Lease[]): void {
    this.#suspects.push(...leases.filter((lease) => lease.suspect))
    this.#handOut(leases.filter((lease) => !lease.suspect))
  }

  /** Hands nothing out from here on; what comes back goes to the store. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#waiting)
    this.#handOut([])
  }

  ended(handle: ExecutorHandle, attempts: readonly EndedAttempt[]): void {
    for (const { lease, outcome } of attempts) {
      this.#killers.survived(lease.message.name)
      this.#settle(lease, outcome)
    }
    this.#hasRoom(handle)
  }

  back(handle: ExecutorHandle, leases: readonly Lease[]): void {
    this.take(leases)
    this.#hasRoom(handle)
  }

  available(): void {
    this.#isFull = false
    this.#handOut([])
    this.#colleagues?.consumption.more()
  }

  mayHaveExtra(): void {
    this.#handOut([])
  }

  gone(handle: ExecutorHandle, { begun, unbegun }: Remains, end: ChildEnd): void {
    const expiresAt = Date.now() + this.#options.keepMs
    const death = { asked: end.asked, error: deathOf(handle, end), expiresAt }
    if (!end.asked) this.#note(this.#killers.died(begun))
    for (const lease of begun) this.#settle(lease, blame(lease, death))
    this.take(unbegun)
    this.#colleagues?.consumption.more()
  }

  #note(killer: string | undefined): void {
    if (killer === undefined) return
    const message = `Two executors in a row have died of ${killer}: tasks of that name run one at a time, each alone, until one ends in another way`
    emit('notice', { message })
  }

  #lookAtKillers(): void {
    if (this.#killers.isFull) this.#makeSuspects(this.#killers.takeAll())
    this.available()
  }

  /** Into the line of those in the store: what stands behind them comes. */
  #makeSuspects(killers: readonly Lease[]): void {
    for (const lease of killers) this.#settle(lease, { kind: 'returned', alone: true })
  }

  #hasRoom(handle: ExecutorHandle): void {
    if (handle.inHand === 0) this.#colleagues?.pool.emptied(handle)
    this.available()
  }

  #handOut(leases: readonly Lease[]): void {
    const ordinary = this.#closed ? leases : this.#keepKillersFrom(leases)
    const available = this.#available(monotonicMs())
    this.#handOutSuspects(available)
    const open = this.#forOrdinary(available)
    for (const lease of ordinary) {
      const handle = leastBusy(open.filter((one) => one.hasRoomFor(lease)))
      if (handle === undefined) this.#isFull = true
      if (handle === undefined) this.#settle(lease, { kind: 'returned' })
      else handle.hand(lease)
    }
    for (const handle of available) handle.flush()
    if (available.some((handle) => handle.inHand > 0)) this.#colleagues?.watch.wake()
  }

  /** One that must not start twice would count as lost if this worker died: it waits in the store. */
  #keepKillersFrom(leases: readonly Lease[]): readonly Lease[] {
    const once = leases.filter((lease) => lease.message.atMostOnce && this.#killers.has(lease))
    this.#makeSuspects(once)
    return this.#killers.keepFrom(
      once.length === 0 ? leases : leases.filter((lease) => !once.includes(lease)),
    )
  }

  #handOutSuspects(available: readonly ExecutorHandle[]): void {
    if (this.#closed) {
      const waiting = [...this.#suspects.splice(0), ...this.#killers.takeAll()]
      for (const lease of waiting) this.#settle(lease, { kind: 'returned' })
      return
    }
    for (const lease of [...this.#suspects, ...this.#killers.kept]) {
      if (this.#freeLanes() <= 0) break
      const idle = this.#idleOne(lease, available)
      if (idle === undefined) continue
      this.#suspects = this.#suspects.filter((one) => one !== lease)
      this.#killers.remove(lease)
      clearTimeout(this.#waiting)
      this.#waiting = undefined
      idle.hand({ ...lease, suspect: true })
    }
    this.#makeWay(available)
  }

  /** The extra one before the others, which the ordinary work needs. */
  #idleOne(lease: Lease, available: readonly ExecutorHandle[]): ExecutorHandle | undefined {
    const idle = available.filter((handle) => handle.inHand === 0)
    const best = idle.find((handle) => this.#colleagues?.pool.isExtra(handle)) ?? idle[0]
    if (best === undefined || !this.#isDangerous(lease) || !this.#isLast(best)) return best
    return this.#asLastResort(best)
  }

  /** Whether nobody else would be there for others. */
  #isLast(handle: ExecutorHandle): boolean {
    const isOther = (one: ExecutorHandle) =>
      one !== handle && one.tasks !== undefined && !one.alone && !one.retired
    return ![...(this.#colleagues?.pool.handles ?? [])].some(isOther)
  }

  /** It waits for a further executor; but there are machines where none can be had. */
  #asLastResort(handle: ExecutorHandle): ExecutorHandle | undefined {
    if (this.#hasWaited) {
      this.#hasWaited = false
      return handle
    }
    this.#waiting ??= setTimeout(() => {
      this.#waiting = undefined
      this.#hasWaited = true
      this.#handOut([])
      this.#hasWaited = false
    }, lastResortMs)
    return undefined
  }

  /** Will probably end its executor. */
  #isDangerous(lease: Lease): boolean {
    return lease.crashes > 0 || this.#killers.has(lease)
  }

  /** Sees to it that waiting suspects find an idle executor soon, and that ordinary work keeps one. */
  #makeWay(available: readonly ExecutorHandle[]): void {
    this.#reserved = undefined
    const waiting = [...this.#suspects, ...this.#killers.kept]
    if (waiting.length > 0 && this.#freeLanes() > 0) {
      const spare = available.filter((handle) => !handle.alone)
      const mayWait = spare.length > 1 || !waiting.every((lease) => this.#isDangerous(lease))
      const soonIdle = mayWait ? spare.filter(({ expectedMs }) => Number.isFinite(expectedMs)) : []
      this.#reserved = leastBusy(soonIdle)
      if (this.#reserved === undefined) this.#colleagues?.pool.addExtra()
    }
    const all = [...(this.#colleagues?.pool.handles ?? [])]
    if (all.some((handle) => handle.alone) && all.every((handle) => handle.alone || handle.retired)) {
      this.#colleagues?.pool.addExtra()
    }
  }

  #available(now: number): readonly ExecutorHandle[] {
    if (this.#closed) return []
    return [...(this.#colleagues?.pool.handles ?? [])].filter((handle) => handle.isAvailable(now))
  }

  /** Those that take ordinary work; the extra one only where there is no other. */
  #forOrdinary(available: readonly ExecutorHandle[]): readonly ExecutorHandle[] {
    const open = available.filter((handle) => !handle.alone && handle !== this.#reserved)
    const wished = open.filter((handle) => !this.#colleagues?.pool.isExtra(handle))
    return wished.length > 0 ? wished : open
  }

  #freeLanes(): number {
    const lanes = Math.max(1, Math.floor(this.#options.executors / 2))
    const used = [...(this.#colleagues?.pool.handles ?? [])].filter((handle) => handle.alone).length
    return lanes - used
  }

  #settle(lease: Lease, outcome: Outcome): void {
    const { id: taskId, name } = lease.message
    emit('task.outcome', { taskId, name, outcome: outcome.kind })
    this.#unsettled++
    // A lost lease is the engine's to report.
    void this.#colleagues?.consumption.settle(lease, outcome).then((answer) => {
      this.#unsettled--
      if (outcome.kind === 'parked' && answer === 'settled')
        emit('task.parked', { taskId, name, reason: outcome.reason, message: outcome.error.message })
    })
  }
}

/** Outcomes that may wait for the store; beyond that nothing more is taken on. */
const mostUnsettled = 10_000
const lastResortMs = 5_000
const noSlots: Slots = { ordinary: 0, alone: 0 }

function leastBusy(handles: readonly ExecutorHandle[]): ExecutorHandle | undefined {
  return handles.reduce<ExecutorHandle | undefined>(
    (best, handle) => (best === undefined || handle.inHand < best.inHand ? handle : best),
    undefined,
  )
}

function deathOf(handle: ExecutorHandle, end: ChildEnd): StoredError {
  const how = `${handle.name} ended (${describeEnd(end)}) while this task was in it`
  const words = handle.lastWords
  if (words === undefined) return { code: 'EXECUTOR_DIED', message: how }
  return { ...words, code: 'EXECUTOR_DIED', message: `${how}: ${words.message}` }
}
