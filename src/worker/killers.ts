import type { Lease } from '../engines/engine.ts'
import { monotonicMs } from './clock.ts'

/**
 * Tasks whose name ends one executor after another: once two in a row have died with nothing else begun in them, until a task of that name ends in any other way
 * or none has died of it for 10 s (it may run for hours). Meanwhile those that are taken as ordinary ones are kept back, so that others, which stand behind
 * them in the store, are reached; a hundred are too many, and whoever holds this is told to make room within a second.
 */
export class Killers {
  readonly #deaths = new Map<string, Deaths>()
  readonly #onTick: () => void
  #kept: readonly Lease[] = []
  #tick: NodeJS.Timeout | undefined

  /** `onTick` is called every second while something is kept back. */
  constructor(onTick: () => void) {
    this.#onTick = onTick
  }

  /** An executor has died of itself, with these begun in it. Gives the name that is a killer's from now on, if there is one. */
  died(begun: readonly Lease[]): string | undefined {
    const [name, another] = new Set(begun.map(({ message }) => message.name))
    if (name === undefined || another !== undefined) return undefined
    const count = (this.#deathsOf(name)?.count ?? 0) + 1
    this.#deaths.set(name, { count, at: monotonicMs() })
    return count === deathsInARow ? name : undefined
  }

  /** A task of this name has ended, and its executor lives. */
  survived(name: string): void {
    if (this.#deaths.size > 0) this.#deaths.delete(name)
  }

  has({ message }: Lease): boolean {
    return this.#deaths.size > 0 && (this.#deathsOf(message.name)?.count ?? 0) >= deathsInARow
  }

  /** Keeps killers back, and gives the others: what was kept back and is no killer any more comes first. */
  keepFrom(leases: readonly Lease[]): readonly Lease[] {
    if (this.#deaths.size === 0 && this.#kept.length === 0) return leases
    const all = [...this.#kept, ...leases]
    this.#kept = all.filter((lease) => this.has(lease))
    if (this.#kept.length > 0) this.#tick ??= setTimeout(() => this.#ticks(), tickMs)
    return all.filter((lease) => !this.has(lease))
  }

  /** In the order they came. */
  get kept(): readonly Lease[] {
    return this.#kept
  }

  get isFull(): boolean {
    return this.#kept.length >= mostKept
  }

  remove(lease: Lease): void {
    this.#kept = this.#kept.filter((one) => one !== lease)
  }

  takeAll(): readonly Lease[] {
    clearTimeout(this.#tick)
    this.#tick = undefined
    const kept = this.#kept
    this.#kept = []
    return kept
  }

  #deathsOf(name: string): Deaths | undefined {
    const deaths = this.#deaths.get(name)
    if (deaths === undefined || monotonicMs() < deaths.at + rememberedMs) return deaths
    this.#deaths.delete(name)
    return undefined
  }

  #ticks(): void {
    this.#tick = undefined
    this.#onTick()
  }
}

interface Deaths {
  readonly count: number
  /** Of the last one, monotonic ms. */
  readonly at: number
}

const deathsInARow = 2
const mostKept = 100
const tickMs = 1_000
const rememberedMs = 10_000
