import type { ActionAnswer, TaskRecord } from '../engine.ts'

export interface CancelledOptions {
  /** What was cancelled in the spool. */
  list(): Promise<readonly TaskRecord[]>
  /** Cancels a task in the store that it belongs to. */
  cancel(id: string): Promise<ActionAnswer>
  /** Whether it is so still: it may have been put back. */
  isCancelled(id: string): Promise<boolean>
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
  /** Of what is listed, that which was done. */
  readonly #seen = new Set<string>()
  #looking = false
  #isWanted = false
  #alarm: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: CancelledOptions) {
    this.#options = options
  }

  /** To be called when something may have been cancelled. */
  look(): void {
    this.#isWanted = true
    if (this.#looking || this.#isClosed) return
    this.#looking = true
    clearTimeout(this.#alarm)
    this.#lookAll().catch(() => this.#lookLater())
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#alarm)
  }

  async #lookAll(): Promise<void> {
    try {
      while (this.#isWanted && !this.#isClosed) await this.#lookOnce()
    } finally {
      this.#looking = false
    }
  }

  async #lookOnce(): Promise<void> {
    this.#isWanted = false
    const listed = await this.#options.list()
    // Anew where it was put back and cancelled again.
    const ids = new Map(listed.map(({ message, settledAt }) => [`${message.id} ${settledAt}`, message.id]))
    for (const what of this.#seen) if (!ids.has(what)) this.#seen.delete(what)
    for (const [what, id] of ids) {
      if (!this.#seen.has(what)) await this.#cancel(id)
      this.#seen.add(what)
    }
  }

  async #cancel(id: string): Promise<void> {
    const { isCancelled, cancel, forget } = this.#options
    if (!(await isCancelled(id))) return
    const answer = await cancel(id)
    if ((answer.done || answer.state !== undefined) && (await isCancelled(id))) await forget(id)
  }

  #lookLater(): void {
    if (!this.#isClosed) this.#alarm = setTimeout(() => this.look(), againMs)
  }
}
