import { emit } from '../core/events.ts'
import type { Consumption, Lease, Outcome, Slots } from '../engines/engine.ts'
import { type ChildEnd, describeEnd } from '../supervisor/child-end.ts'
import type { StoredError } from '../tasks/message.ts'
import { blame } from './blame.ts'
import { monotonicMs } from './clock.ts'
import type { EndedAttempt, ExecutorHandle, Remains } from './executor-handle.ts'
import { Lanes, leastBusy } from './lanes.ts'
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
 * given back at once, so that no task waits in a worker while it could run elsewhere. What runs alone waits in lanes of its own.
 */
export class Dispatch implements PoolListener {
  readonly #options: DispatchOptions
  readonly #lanes: Lanes
  #colleagues: Colleagues | undefined
  #unsettled = 0
  /** What was offered beyond free slots did not fit: until an executor has room again, only those are. */
  #isFull = false
  #closed = false

  constructor(options: DispatchOptions) {
    this.#options = options
    this.#lanes = new Lanes({
      executors: options.executors,
      pool: () => this.#colleagues?.pool,
      onTurn: () => this.available(),
      onReturned: (leases) => this.#settleAll(leases, { kind: 'returned', alone: true }),
    })
  }

  /** Before this, `slots` offers nothing. */
  begin(colleagues: Colleagues): void {
    this.#colleagues = colleagues
  }

  /** What the engine may hand out now. */
  slots(): Slots {
    if (this.#closed || this.#unsettled >= mostUnsettled) return noSlots
    const available = this.#available()
    if (available.length === 0) return noSlots
    const open = this.#lanes.forOrdinary(available)
    const room = open.reduce((sum, handle) => sum + (this.#isFull ? handle.free : handle.room()), 0)
    return { ordinary: this.#lanes.isFull ? 0 : room, alone: this.#lanes.room }
  }

  /** Hands leases out. */
  take(leases: readonly Lease[]): void {
    this.#lanes.add(leases.filter((lease) => lease.suspect))
    this.#handOut(leases.filter((lease) => !lease.suspect))
  }

  /** Hands nothing out from here on; what comes back goes to the store. */
  close(): void {
    this.#closed = true
    this.#handOut([])
  }

  ended(handle: ExecutorHandle, attempts: readonly EndedAttempt[]): void {
    for (const { lease, outcome } of attempts) {
      this.#lanes.survived(lease.message.name)
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
    if (!end.asked) this.#lanes.died(begun)
    for (const lease of begun) this.#settle(lease, blame(lease, death))
    this.take(unbegun)
    this.#colleagues?.consumption.more()
  }

  #hasRoom(handle: ExecutorHandle): void {
    if (handle.inHand === 0) this.#colleagues?.pool.emptied(handle)
    this.available()
  }

  #handOut(leases: readonly Lease[]): void {
    if (this.#closed) {
      this.#settleAll([...this.#lanes.takeAll(), ...leases], { kind: 'returned' })
      return
    }
    const ordinary = this.#lanes.keepFrom(leases)
    const available = this.#available()
    this.#lanes.handOut(available)
    const open = this.#lanes.forOrdinary(available)
    for (const lease of ordinary) {
      const handle = leastBusy(open.filter((one) => one.hasRoomFor(lease)))
      if (handle === undefined) this.#isFull = true
      if (handle === undefined) this.#settle(lease, { kind: 'returned' })
      else handle.hand(lease)
    }
    for (const handle of available) handle.flush()
    if (available.some((handle) => handle.inHand > 0)) this.#colleagues?.watch.wake()
  }

  #available(): readonly ExecutorHandle[] {
    if (this.#closed) return []
    const now = monotonicMs()
    return [...(this.#colleagues?.pool.handles ?? [])].filter((handle) => handle.isAvailable(now))
  }

  #settleAll(leases: readonly Lease[], outcome: Outcome): void {
    for (const lease of leases) this.#settle(lease, outcome)
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
const noSlots: Slots = { ordinary: 0, alone: 0 }

function deathOf(handle: ExecutorHandle, end: ChildEnd): StoredError {
  const how = `${handle.name} ended (${describeEnd(end)}) while this task was in it`
  const words = handle.lastWords
  if (words === undefined) return { code: 'EXECUTOR_DIED', message: how }
  return { ...words, code: 'EXECUTOR_DIED', message: `${how}: ${words.message}` }
}
