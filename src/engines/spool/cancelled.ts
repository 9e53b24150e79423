import type { ActionAnswer, TaskRecord } from '../engine.ts'

export interface CancelledOptions {
  /** What was cancelled in the spool. */
  list(): Promise<readonly TaskRecord[]>
  /** Cancels a task in the store that it belongs to. */
  cancel(id: string): Promise<ActionAnswer>
  /** Takes it out of the spool. */
  forget(id: string): Promise<unknown>
}

const againMs = 1_000

/**
 * A store that did not answer may have a task all the same, so what is cancelled in the spool is cancelled there too, as soon as it answers. Where it knows the
 * task, it alone says how that stands.
 */
export class Cancelled {
  readonly #options: CancelledOptions
  readonly #seen = new Set<string>()
  #looking = false
  #alarm: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: CancelledOptions) {
    this.#options = options
  }

  /** To be called when something may have been cancelled. */
  look(): void {
    if (this.#looking || this.#isClosed) return
    this.#looking = true
    clearTimeout(this.#alarm)
    void this.#lookThrough()
      .catch(() => this.#lookLater())
      .finally(() => {
        this.#looking = false
      })
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#alarm)
  }

  async #lookThrough(): Promise<void> {
    for (const { message } of await this.#options.list()) {
      if (this.#seen.has(message.id)) continue
      const { done, ...answer } = await this.#options.cancel(message.id)
      if (done || ('state' in answer && answer.state !== undefined)) await this.#options.forget(message.id)
      this.#seen.add(message.id)
    }
  }

  #lookLater(): void {
    if (!this.#isClosed) this.#alarm = setTimeout(() => this.look(), againMs)
  }
}
