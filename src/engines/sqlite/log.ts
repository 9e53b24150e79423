import { close, closeSync, fdatasync, openSync } from 'node:fs'

/**
 * The write-ahead log, opened a second time to be flushed off the loop: a commit that SQLite has written without a flush survives a power cut once
 * the log has been flushed, or was checkpointed, which flushes it first. SQLite holds no locks on this file, so closing it drops none (POSIX).
 */
export class Log {
  readonly #handle: number
  #flushes = 0
  #isClosed = false
  /** A system tells a failed flush once: all that are under way have failed with it. */
  #failure: Error | undefined

  /** Opens the log of the database `file`, which SQLite has made. */
  constructor(file: string) {
    // For writing: Windows flushes no other handle.
    this.#handle = openSync(`${file}-wal`, 'r+')
  }

  /** Resolves when what was committed before this call survives a power cut. */
  flush(): Promise<void> {
    this.#flushes++
    return new Promise((resolve, reject) => {
      fdatasync(this.#handle, (error) => {
        this.#flushes--
        if (this.#isClosed && this.#flushes === 0) close(this.#handle)
        this.#failure ??= error ?? undefined
        if (this.#failure === undefined) resolve()
        else reject(this.#failure)
      })
    })
  }

  /** A flush under way still needs the handle, whose number another file would get. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.#flushes === 0) closeSync(this.#handle)
  }
}
