/** A worker looks so often, in ms, for tasks that others have parked; at every beat for a while after it has found some. */
const everyMs = 5_000
const likelyForMs = 30_000
/** Between two looks, in ms. It doubles as long as a look finds some again: another executor of this very worker may not know them. */
const leastRestMs = 50
const longestRestMs = 5_000
/** How long is rested after a look, by how long it took. */
const restPerLook = 20

/**
 * When a worker looks again for parked tasks that it can run. After a look that has found some, idle older workers may take others and park them, and more may be left than there
 * was room for: then it looks as soon as there is room.
 */
export class LookAgain {
  readonly #look: () => void
  #lookedAt = Number.NEGATIVE_INFINITY
  #foundAt = Number.NEGATIVE_INFINITY
  #restMs = leastRestMs
  #restedAt = 0
  #found = new Set<string | number>()
  #alarm: NodeJS.Timeout | undefined

  constructor(look: () => void) {
    this.#look = look
  }

  /** Whether a look is due where nothing new is known. */
  get isDue(): boolean {
    const now = performance.now()
    return now >= this.#restedAt && (now < this.#foundAt + likelyForMs || now > this.#lookedAt + everyMs)
  }

  /** After a look, with what it has found. `tookMs`: how long it took, which is rested twenty times. */
  looked(found: readonly (string | number)[], tookMs = 0): void {
    const isAgain = found.some((one) => this.#found.has(one))
    this.#found = new Set(found)
    this.#restMs = isAgain ? Math.min(2 * this.#restMs, longestRestMs) : leastRestMs
    this.#lookedAt = performance.now()
    this.#restedAt = this.#lookedAt + Math.min(longestRestMs, Math.max(this.#restMs, restPerLook * tookMs))
    if (found.length > 0) this.#foundAt = this.#lookedAt
  }

  /** To be told when there is room, and nothing that waits. */
  idle(): void {
    const isLikely = this.#foundAt === this.#lookedAt
    if (!isLikely || this.#alarm !== undefined) return
    // Timers may come a millisecond early.
    const ms = Math.max(0, this.#restedAt - performance.now()) + 2
    this.#alarm = setTimeout(() => {
      this.#alarm = undefined
      this.#look()
    }, ms).unref()
  }
}
