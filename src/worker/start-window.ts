/**
 * How long an order may take from its sending to its start, in ms. What arrives later is handed back and goes elsewhere; so where everything arrives late,
 * because it is large or the machine has too much to do, the window must grow, or nothing would ever run.
 */
export class StartWindow {
  #factor = 1

  get ms(): number {
    return leastMs * this.#factor
  }

  /** The executor is alive, but has come to some too late. */
  late(): void {
    this.#factor = Math.min(this.#factor * 2, mostFactor)
  }

  /** What has come from it was begun in time. */
  inTime(): void {
    this.#factor = Math.max(this.#factor / 2, 1)
  }
}

const leastMs = 150
/** 9.6 s: as long as an executor may be silent before it is replaced. */
const mostFactor = 64
