/** When an executor was heard, and what its silence means. Times are monotonic ms. */
export class SignsOfLife {
  #heardAt = 0
  /** Since when it must speak before it gets more: work was taken back from it. */
  #muteSince: number | undefined
  #blockedSaid = false

  /** It has spoken; or it gets its first work, which begins its duty to speak. */
  heard(now: number): void {
    this.#heardAt = now
    this.#muteSince = undefined
    this.#blockedSaid = false
  }

  get heardAt(): number {
    return this.#heardAt
  }

  mustSpeak(now: number): void {
    this.#muteSince ??= now
  }

  get isMute(): boolean {
    return this.#muteSince !== undefined
  }

  /** Whether a busy one is late with its sign of life, which it gives every 100 ms. */
  isSilent(now: number): boolean {
    return now - this.#heardAt >= 200
  }

  /** Silent for so long after work was taken back that it will not come back by itself. */
  isLost(now: number): boolean {
    return this.#muteSince !== undefined && now - this.#muteSince >= 10_000
  }

  /** How long a busy one's loop has been blocked, once for each time; undefined when it is not or was said. */
  blockedMs(now: number): number | undefined {
    const ms = now - this.#heardAt
    if (ms < 1000 || this.#blockedSaid) return undefined
    this.#blockedSaid = true
    return ms
  }
}
