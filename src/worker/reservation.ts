/**
 * Whether an executor may be kept free for what is to run alone. For a second only: what it still runs may hang. Then ordinary work has its turn for as long,
 * in which a further executor should have come. Where none can be had the turns go on, twice as long each time, until one is long enough for what runs.
 */
export class Reservation {
  readonly #onChange: () => void
  #isAllowed = true
  #turnMs = firstTurnMs
  #timer: NodeJS.Timeout | undefined

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  get isAllowed(): boolean {
    return this.#isAllowed
  }

  /** To be called while something waits and an executor could be kept free for it. */
  begin(): void {
    this.#timer ??= setTimeout(() => this.#change(), this.#turnMs)
  }

  /** Nothing waits any more. */
  end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#isAllowed = true
    this.#turnMs = firstTurnMs
  }

  #change(): void {
    this.#timer = undefined
    if (!this.#isAllowed) this.#turnMs *= 2
    this.#isAllowed = !this.#isAllowed
    this.#onChange()
  }
}

const firstTurnMs = 1_000
