/** Jobs that come round: each on its own beat, none of them twice at a time. They don't keep the process alive. */
export class Rounds {
  readonly #onFailure: (error: unknown) => void
  readonly #timers: NodeJS.Timeout[] = []
  readonly #running = new Set<Promise<void>>()
  #stopped = false

  /** `onFailure` is told what a job throws; it comes round again all the same. */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure
  }

  /** Whether jobs that do many small steps should end after the present one. */
  get isStopped(): boolean {
    return this.#stopped
  }

  /** The answer begins a round now, unless one is under way. */
  every(ms: number, job: () => Promise<void>): () => void {
    let isRunning = false
    const round = async () => {
      isRunning = true
      await job().catch((error: unknown) => this.#stopped || this.#onFailure(error))
      isRunning = false
    }
    const begin = () => {
      if (!isRunning && !this.#stopped) this.#keep(round())
    }
    this.#timers.push(setInterval(begin, ms).unref())
    return begin
  }

  /** Does a job once, now. */
  now(job: () => Promise<void>): void {
    if (!this.#stopped) this.#keep(job().catch((error: unknown) => this.#onFailure(error)))
  }

  /** Resolves when no job runs any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const timer of this.#timers) clearInterval(timer)
    await Promise.all(this.#running)
  }

  #keep(running: Promise<void>): void {
    this.#running.add(running)
    void running.finally(() => this.#running.delete(running))
  }
}
