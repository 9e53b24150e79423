import { emit } from '../core/events.ts'
import type { Lease } from '../engines/engine.ts'
import type { ExecutorHandle } from './executor-handle.ts'
import { Killers } from './killers.ts'
import type { Pool } from './pool.ts'
import { Reservation } from './reservation.ts'

export interface LanesOptions {
  /** How many executors are wished for. */
  readonly executors: number
  /** Known only when the first tasks come. */
  pool(): Pick<Pool, 'handles' | 'isExtra' | 'addExtra'> | undefined
  /** What waits here is to be handed out now. */
  readonly onTurn: () => void
  /** These can't wait here: they go into the line of suspects in the store, and what stands behind them comes. */
  readonly onReturned: (leases: readonly Lease[]) => void
}

/**
 * The way of tasks that run alone: suspects, and those whose name ends one executor after another (`killers.ts`), which are kept back from ordinary ones.
 *
 * At most half of the executors (at least one) are used so. When none is idle, one whose tasks end soon is kept free for a while (`reservation.ts`), else the pool
 * gets one executor more. What will probably end its executor gets one only where another is there for all the others, or can't be had.
 */
export class Lanes {
  readonly #options: LanesOptions
  readonly #killers = new Killers(() => this.#lookAtKillers())
  #suspects: readonly Lease[] = []
  /** Gets nothing new until it is empty: a suspect waits for it. */
  #reserved: ExecutorHandle | undefined
  readonly #reservation: Reservation
  /** Until a task that will end its executor gets the last one. */
  #waiting: NodeJS.Timeout | undefined
  #hasWaited = false

  constructor(options: LanesOptions) {
    this.#options = options
    this.#reservation = new Reservation(options.onTurn)
  }

  /** How many more suspects may come. */
  get room(): number {
    return Math.max(0, this.#free() - this.#suspects.length)
  }

  /** So many are kept back that no others may come before room is made, within a second. */
  get isFull(): boolean {
    return this.#killers.isFull
  }

  add(suspects: readonly Lease[]): void {
    this.#suspects = [...this.#suspects, ...suspects]
  }

  /** Keeps back what is to run alone, and gives the rest. */
  keepFrom(leases: readonly Lease[]): readonly Lease[] {
    // One that must not start twice would count as lost if this worker died: it waits in the store.
    const once = leases.filter((lease) => lease.message.atMostOnce && this.#killers.has(lease))
    if (once.length === 0) return this.#killers.keepFrom(leases)
    this.#options.onReturned(once)
    return this.#killers.keepFrom(leases.filter((lease) => !once.includes(lease)))
  }

  /** Everything that waits here; from here on nothing does. */
  takeAll(): readonly Lease[] {
    clearTimeout(this.#waiting)
    this.#reservation.end()
    const all = [...this.#suspects, ...this.#killers.takeAll()]
    this.#suspects = []
    return all
  }

  /** An executor has died of itself, with these begun in it. */
  died(begun: readonly Lease[]): void {
    const killer = this.#killers.died(begun)
    if (killer === undefined) return
    const message = `Two executors in a row have died of ${killer}: tasks of that name run one at a time, each alone, until one ends in another way`
    emit('notice', { message })
  }

  /** A task of this name has ended, and its executor lives. */
  survived(name: string): void {
    this.#killers.survived(name)
  }

  /** Hands out what finds an idle executor. */
  handOut(available: readonly ExecutorHandle[]): void {
    for (const lease of [...this.#suspects, ...this.#killers.kept]) {
      if (this.#free() <= 0) break
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

  /** Those that take ordinary work; the extra one only where there is no other. */
  forOrdinary(available: readonly ExecutorHandle[]): readonly ExecutorHandle[] {
    const open = available.filter((handle) => !handle.alone && handle !== this.#reserved)
    const wished = open.filter((handle) => !this.#options.pool()?.isExtra(handle))
    return wished.length > 0 ? wished : open
  }

  #lookAtKillers(): void {
    if (this.#killers.isFull) this.#options.onReturned(this.#killers.takeAll())
    this.#options.onTurn()
  }

  /** The extra one before the others, which the ordinary work needs. */
  #idleOne(lease: Lease, available: readonly ExecutorHandle[]): ExecutorHandle | undefined {
    const idle = available.filter((handle) => handle.inHand === 0)
    const best = idle.find((handle) => this.#options.pool()?.isExtra(handle)) ?? idle[0]
    if (best === undefined || !this.#isDangerous(lease) || !this.#isLast(best)) return best
    return this.#asLastResort(best)
  }

  /** Whether nobody else would be there for others. */
  #isLast(handle: ExecutorHandle): boolean {
    const isOther = (one: ExecutorHandle) =>
      one !== handle && one.ready !== undefined && !one.alone && !one.retired
    return !this.#handles().some(isOther)
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
      this.#options.onTurn()
      this.#hasWaited = false
    }, lastResortMs)
    return undefined
  }

  /** Will probably end its executor. */
  #isDangerous(lease: Lease): boolean {
    return lease.crashes > 0 || this.#killers.has(lease)
  }

  /** Sees to it that what waits finds an idle executor soon, and that ordinary work keeps one. */
  #makeWay(available: readonly ExecutorHandle[]): void {
    this.#reserved = undefined
    const waiting = [...this.#suspects, ...this.#killers.kept]
    if (waiting.length > 0 && this.#free() > 0) {
      this.#reserved = this.#toReserve(waiting, available)
      if (this.#reserved === undefined) this.#options.pool()?.addExtra()
    } else this.#reservation.end()
    const all = this.#handles()
    if (all.some((handle) => handle.alone) && all.every((handle) => handle.alone || handle.retired))
      this.#options.pool()?.addExtra()
  }

  /** What is to be kept free now. */
  #toReserve(waiting: readonly Lease[], available: readonly ExecutorHandle[]): ExecutorHandle | undefined {
    const spare = available.filter((handle) => !handle.alone)
    if (spare.length <= 1 && waiting.every((lease) => this.#isDangerous(lease))) return undefined
    const best = leastBusy(spare.filter((handle) => handle.endsSoon))
    if (best !== undefined) this.#reservation.begin()
    return this.#reservation.isAllowed ? best : undefined
  }

  #free(): number {
    const lanes = Math.max(1, Math.floor(this.#options.executors / 2))
    return lanes - this.#handles().filter((handle) => handle.alone).length
  }

  #handles(): readonly ExecutorHandle[] {
    return [...(this.#options.pool()?.handles ?? [])]
  }
}

const lastResortMs = 5_000

/** Of several, the first. */
export function leastBusy(handles: readonly ExecutorHandle[]): ExecutorHandle | undefined {
  return handles.reduce<ExecutorHandle | undefined>(
    (best, handle) => (best === undefined || handle.inHand < best.inHand ? handle : best),
    undefined,
  )
}
