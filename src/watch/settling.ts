export interface SettlingTimes {
  /** Quiet for this long is settled. */
  readonly settleMs: number
  /** And after this long in any case. */
  readonly longestMs: number
}

/** Calls `settled` once when things that come in bursts have come to rest. */
export class Settling {
  readonly #times: SettlingTimes
  readonly #settled: () => void
  #timer: NodeJS.Timeout | undefined
  #since: number | undefined

  constructor(times: SettlingTimes, settled: () => void) {
    this.#times = times
    this.#settled = settled
  }

  /** One of those things has happened. */
  begin(): void {
    const now = performance.now()
    this.#since ??= now
    const left = this.#since + this.#times.longestMs - now
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#end(), Math.max(0, Math.min(this.#times.settleMs, left)))
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#since = undefined
  }

  #end(): void {
    this.#since = undefined
    this.#settled()
  }
}
