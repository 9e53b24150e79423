import type { Lease } from '../engines/engine.ts'

/**
 * Tasks whose name ends one executor after another: once two in a row have died with nothing else begun in them, until a task of that name ends in any other way.
 * Meanwhile those that are taken as ordinary ones are kept back, a hundred of them for a second at most: so others, which stand behind them in the store, are
 * reached.
 */
export class Killers {
  readonly #deaths = new Map<string, number>()
  readonly #onFull: (kept: readonly Lease[]) => void
  #kept: Lease[] = []
  #clearing: NodeJS.Timeout | undefined

  /** `onFull` is given what is kept back once there is no room for more. */
  constructor(onFull: (kept: readonly Lease[]) => void) {
    this.#onFull = onFull
  }

  /** An executor has died of itself, with these begun in it. Gives the name that is a killer's from now on, if there is one. */
  died(begun: readonly Lease[]): string | undefined {
    const [name, another] = new Set(begun.map(({ message }) => message.name))
    if (name === undefined || another !== undefined) return undefined
    const deaths = (this.#deaths.get(name) ?? 0) + 1
    this.#deaths.set(name, deaths)
    return deaths === deathsInARow ? name : undefined
  }

  /** A task of this name has ended, and its executor lives. Gives what is kept back where that changes anything. */
  survived(name: string): readonly Lease[] {
    if (this.#deaths.size === 0 || !this.#deaths.delete(name)) return []
    return this.takeAll()
  }

  has({ message }: Lease): boolean {
    return this.#deaths.size > 0 && (this.#deaths.get(message.name) ?? 0) >= deathsInARow
  }

  /** Keeps killers back, and gives the others. */
  keepFrom(leases: readonly Lease[]): readonly Lease[] {
    if (this.#deaths.size === 0) return leases
    this.#kept.push(...leases.filter((lease) => this.has(lease)))
    if (this.room === 0) this.#clearing ??= setTimeout(() => this.#onFull(this.takeAll()), fullForMs)
    return leases.filter((lease) => !this.has(lease))
  }

  /** In the order they came. */
  get kept(): readonly Lease[] {
    return this.#kept
  }

  /** How many more may be kept back. */
  get room(): number {
    return Math.max(0, mostKept - this.#kept.length)
  }

  remove(lease: Lease): void {
    this.#kept = this.#kept.filter((one) => one !== lease)
  }

  takeAll(): readonly Lease[] {
    clearTimeout(this.#clearing)
    this.#clearing = undefined
    return this.#kept.splice(0)
  }
}

const deathsInARow = 2
const mostKept = 100
const fullForMs = 1_000
