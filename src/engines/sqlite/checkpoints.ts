import { Worker } from 'node:worker_threads'

/**
 * Keeps the write-ahead log of a server short where no worker does: when enough was written, a thread that lives for one checkpoint copies the log into
 * the database file. On the loop that would stop requests for as long as the disk takes.
 */
export class Checkpoints {
  readonly #file: string
  /** Written since the last checkpoint has begun. */
  #bytes = 0
  #running: { readonly thread: Worker; readonly ended: Promise<void> } | undefined

  constructor(file: string) {
    this.#file = file
  }

  /** Told of every commit, with about how many bytes were in it. */
  wrote(bytes: number): void {
    this.#bytes += bytes + commitBytes
    if (this.#bytes < bytesBetween || this.#running !== undefined) return
    this.#bytes = 0
    this.#running = this.#run()
  }

  /** To be awaited before a write, where there is something to wait for: a disk that can't keep up must not make the log grow for ever. */
  room(): Promise<void> | undefined {
    return this.#bytes < mostBytesAhead ? undefined : this.idle()
  }

  /** Resolves when none is under way. */
  async idle(): Promise<void> {
    this.#running?.thread.ref()
    await this.#running?.ended
  }

  /** What hinders a checkpoint hinders the next write too, which tells its caller. */
  #run(): { thread: Worker; ended: Promise<void> } {
    const thread = new Worker(threadFile, { workerData: this.#file })
    thread.unref()
    thread.on('error', () => undefined)
    const ended = new Promise<void>((resolve) => {
      thread.on('exit', () => {
        this.#running = undefined
        resolve()
      })
    })
    return { thread, ended }
  }
}

/** About what the pages take that every commit writes. */
const commitBytes = 16_384
const bytesBetween = 41_943_040
const mostBytesAhead = 3 * bytesBetween

// Built or run from source: this file's own ending tells.
const threadFile = new URL(
  `./checkpoint-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  import.meta.url,
)
