import { Worker } from 'node:worker_threads'
import { asError } from '../../core/errors.ts'
import { type CheckpointEnd, type Ending, LogLength, logBytes } from './log-length.ts'

/**
 * Keeps the write-ahead log of a server short where no worker does: when enough was written, a thread that lives for one checkpoint copies the log into
 * the database file. On the loop that would stop requests for as long as the disk takes. What hinders that (a process that reads for long, a thread that
 * can't be started) is told once the log is longer than it should ever be, and tried again until it is not.
 */
export class Checkpoints {
  readonly #file: string
  /** Written, and not covered by a checkpoint that has ended. */
  #bytes = 0
  /** So much of it by the one under way. */
  #covered = 0
  #running: { readonly thread: Worker; readonly ended: Promise<void> } | undefined
  readonly #length: LogLength
  #again: NodeJS.Timeout | undefined
  /** Before that, on the monotonic clock, no commit begins one. */
  #restUntil = 0
  #closed = false

  constructor(file: string) {
    this.#file = file
    this.#length = new LogLength(file)
    // What an earlier process has left.
    this.#bytes = logBytes(file)
  }

  /** Told of every commit, with about how many bytes were in it. */
  wrote(bytes: number): void {
    this.#bytes += bytes + commitBytes
    if (this.#bytes < bytesBetween || this.#running !== undefined) return
    if (performance.now() >= this.#restUntil) this.#begin()
  }

  /** To be awaited before a write, where there is something to wait for: a disk that can't keep up must not make the log grow for ever. */
  room(): Promise<void> | undefined {
    if (this.#bytes < mostBytesAhead) return undefined
    if (this.#running === undefined) this.#begin()
    return this.idle()
  }

  /** Makes one, or waits for the one under way. */
  async now(): Promise<void> {
    if (this.#running === undefined && !this.#closed) this.#begin()
    await this.idle()
  }

  /** Resolves when none is under way. */
  async idle(): Promise<void> {
    this.#running?.thread.ref()
    await this.#running?.ended
  }

  /** Ends it, the one under way last. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#again)
    await this.idle()
  }

  #begin(): void {
    clearTimeout(this.#again)
    this.#covered = this.#bytes
    try {
      this.#running = this.#run()
    } catch (error) {
      this.#done({ fault: asError(error) })
    }
  }

  #run(): { thread: Worker; ended: Promise<void> } {
    const thread = new Worker(threadFile, { workerData: this.#file })
    const end: { -readonly [Key in keyof CheckpointEnd]: CheckpointEnd[Key] } = {}
    thread.unref()
    thread.on('error', (error) => {
      end.fault = asError(error)
    })
    // Said by checkpoint-thread.ts.
    thread.on('message', (ending: Ending) => {
      end.ending = ending
    })
    const ended = new Promise<void>((resolve) => {
      thread.on('exit', () => {
        this.#running = undefined
        this.#done(end)
        resolve()
      })
    })
    return { thread, ended }
  }

  /**
   * A log that is still too long is tried again by itself: what hindered it may go while nothing is written. Where it was crowded out, having held up those who
   * write, the next one is not begun at the next commit, and writers wait for it once the log is long.
   */
  #done(end: CheckpointEnd): void {
    if (end.ending === 'crowded out') this.#restUntil = performance.now() + againMs
    else this.#bytes -= this.#covered
    if (!this.#length.look(end) || this.#closed) return
    this.#again = setTimeout(() => this.#begin(), againMs).unref()
  }
}

/** About what the pages take that every commit writes. */
const commitBytes = 16_384
const bytesBetween = 41_943_040
const mostBytesAhead = 3 * bytesBetween
const againMs = 3_000

// Built or run from source: this file's own ending tells.
const threadFile = new URL(
  `./checkpoint-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  import.meta.url,
)
