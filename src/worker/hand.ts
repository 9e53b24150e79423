import { BoxedMap } from '../core/boxed-map.ts'
import type { Lease } from '../engines/engine.ts'

/** What is in an executor's hands, as its worker knows it: each attempt under the number of its order. */
export interface Held {
  readonly number: number
  readonly lease: Lease
  /** Monotonic ms. */
  readonly handedAt: number
  readonly expectedMs: number
  readonly size: number
  /** By when its executor must begin it, in monotonic ms; undefined until it is sent. */
  startBy: number | undefined
}

/** The attempts handed to one executor and not yet ended or taken back, in the order of handing. */
export class Hand {
  readonly #held = new BoxedMap<number, Held>()
  #newest = 0
  #expectedMs = 0
  #unknown = 0
  #size = 0

  get count(): number {
    return this.#held.size
  }

  /** The number of the last order that was made; 0 when none was. */
  get newest(): number {
    return this.#newest
  }

  /** How long all of it is expected to take one after another, in ms; Infinity when any of it is not known. */
  get expectedMs(): number {
    return this.#unknown > 0 ? Number.POSITIVE_INFINITY : this.#expectedMs
  }

  /** Characters of arguments and contexts. */
  get size(): number {
    return this.#size
  }

  add(lease: Lease, expectedMs: number, handedAt: number): Held {
    const held: Held = {
      number: ++this.#newest,
      lease,
      handedAt,
      expectedMs,
      size: sizeOf(lease),
      startBy: undefined,
    }
    this.#held.set(held.number, held)
    this.#weigh(held, 1)
    return held
  }

  /** Undefined for one that is not held: it was taken back before. */
  remove(number: number): Held | undefined {
    const held = this.#held.delete(number)
    if (held === undefined) return undefined
    this.#weigh(held, -1)
    if (this.#held.size === 0) this.#expectedMs = 0
    return held
  }

  /** Those up to `mark` were begun, or at least come to; those after it certainly were not. */
  split(mark: number): { begun: Held[]; unbegun: Held[] } {
    const all = [...this.#held.values()]
    return {
      begun: all.filter((held) => held.number <= mark),
      unbegun: all.filter((held) => held.number > mark),
    }
  }

  /** When the one that has been held longest was handed over. */
  get oldest(): number | undefined {
    const [first] = this.#held.values()
    return first?.handedAt
  }

  /** Whether any of it is in hand for a second longer than it was expected to take: it may never end. */
  mayHang(now: number): boolean {
    return [...this.#held.values()].some(({ handedAt, expectedMs }) => now - handedAt > expectedMs + graceMs)
  }

  #weigh(held: Held, sign: 1 | -1): void {
    this.#size += sign * held.size
    if (held.expectedMs === Number.POSITIVE_INFINITY) this.#unknown += sign
    else this.#expectedMs += sign * held.expectedMs
  }
}

export function sizeOf({ message }: Lease): number {
  return message.args.length + message.context.length
}

const graceMs = 1_000
