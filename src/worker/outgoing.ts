import type { Held } from './hand.ts'

/**
 * What was handed to an executor and is not sent yet. Leaves in slices: a channel carries some 40 MB/s, and an order must arrive long before the time by
 * which it has to be begun.
 */
export class Outgoing {
  #waiting: Held[] = []

  add(held: Held): void {
    this.#waiting.push(held)
  }

  /** The oldest of them, 256 Ki characters at most, but one at least; none when nothing waits. */
  nextSlice(): readonly Held[] {
    let count = 0
    let size = 0
    for (const held of this.#waiting) {
      size += held.size
      if (count > 0 && size > largestSlice) break
      count++
    }
    return this.#waiting.splice(0, count)
  }

  /** They go elsewhere. */
  drop(these: readonly Held[]): void {
    if (this.#waiting.length === 0) return
    const dropped = new Set(these)
    this.#waiting = this.#waiting.filter((held) => !dropped.has(held))
  }
}

const largestSlice = 2 ** 18
