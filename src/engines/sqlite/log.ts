import { close, closeSync, fdatasync, openSync } from 'node:fs'

/**
 * The write-ahead log, opened a second time to be flushed off the loop: a commit that SQLite has written without a flush survives a power cut once
 * the log has been flushed, or was checkpointed, which flushes it first. SQLite holds no locks on this file, so closing it drops none (POSIX).
 *
 * One flush is under way at a time, and whoever asks meanwhile shares the next: each takes a thread of libuv's pool, which all file access of the process goes through.
 */
export class Log {
  readonly #handle: number
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  #isClosed = false
  /** A system tells a failed flush once: none after it can be relied on. */
  #failure: Error | undefined

  /** Opens the log of the database `file`, which SQLite has made. */
  constructor(file: string) {
    // For writing: Windows flushes no other handle.
    this.#handle = openSync(`${file}-wal`, 'r+')
  }

  /** Resolves when what was committed before this call survives a power cut. */
  flush(): Promise<void> {
    if (this.#next !== undefined) return this.#next
    if (this.#running === undefined) return this.#begin()
    this.#next = this.#running.catch(() => undefined).then(() => this.#begin())
    return this.#next
  }

  /** A flush under way, or asked for, still needs the handle, whose number another file would get. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.#running === undefined && this.#next === undefined) closeSync(this.#handle)
  }

  #begin(): Promise<void> {
    this.#next = undefined
    this.#running = new Promise((resolve, reject) => {
      fdatasync(this.#handle, (error) => {
        this.#running = undefined
        this.#failure ??= error ?? undefined
        if (this.#isClosed && this.#next === undefined) close(this.#handle)
        if (this.#failure === undefined) resolve()
        else reject(this.#failure)
      })
    })
    return this.#running
  }
}
