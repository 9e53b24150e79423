/** Of how many tasks to take one step next: twice as many as before, fewer where that took long, since the network is slow or the tasks are large. */
export class StepSize {
  readonly #first: number
  readonly #most: number
  #now: number

  constructor(first: number, most: number) {
    this.#first = first
    this.#most = most
    this.#now = first
  }

  get now(): number {
    return this.#now
  }

  /** A step of `count` was answered after so many ms. */
  took(count: number, ms: number): void {
    this.#now = ms > slowMs ? Math.max(1, count >> 1) : Math.min(this.#now * 2, this.#most)
  }

  /** No answer has come. */
  failed(): void {
    this.#now = 1
  }

  /** Nothing is left to take; what comes later is begun anew. */
  reset(): void {
    this.#now = this.#first
  }
}

const slowMs = 1_000
