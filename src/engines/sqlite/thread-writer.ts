import { Worker } from 'node:worker_threads'
import { asError, StoreError } from '../../core/errors.ts'
import { emit } from '../../core/events.ts'
import { closed } from './failures.ts'
import type { Input, Output, Verb } from './requests.ts'
import type { Answer, ThreadOptions } from './thread.ts'
import type { Writer } from './writer.ts'

/**
 * Writes through a thread of its own, so that neither a disk flush nor another process' lock holds up the loop that answers requests.
 * The thread (30 MiB) is started by the first write; it keeps the process alive only while something is asked of it.
 */
export class ThreadWriter implements Writer {
  readonly #options: ThreadOptions
  readonly #waiting = new Map<number, Waiting>()
  #thread: Worker | undefined
  #requests = 0
  #closed = false

  constructor(options: ThreadOptions) {
    this.#options = options
  }

  request<V extends Verb>(verb: V, input: Input<V>): Promise<Output<V>> {
    if (this.#closed) return Promise.reject(closed())
    const thread = this.#running()
    const id = ++this.#requests
    return new Promise((resolve, reject) => {
      // The thread answers a request with the output of its verb.
      this.#waiting.set(id, { resolve: (output) => resolve(output as Output<V>), reject })
      if (this.#waiting.size === 1) thread.ref()
      thread.postMessage({ id, verb, input })
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    const thread = this.#thread
    if (thread === undefined) return
    const ended = new Promise((resolve) => thread.once('exit', resolve))
    thread.ref()
    // After all that was asked before, in order.
    thread.postMessage(undefined)
    await ended
  }

  #running(): Worker {
    if (this.#thread !== undefined) return this.#thread
    const thread = new Worker(threadFile, { workerData: this.#options })
    thread.unref()
    thread.on('message', (answer: Answer) => this.#take(answer, thread))
    thread.on('error', (error) => this.#lose(thread, error))
    thread.on('exit', () => this.#lose(thread))
    this.#thread = thread
    return thread
  }

  #take(answer: Answer, thread: Worker): void {
    if ('event' in answer) emit(answer.event, answer.detail)
    else this.#settle(answer, thread)
  }

  #settle(answer: Exclude<Answer, { event: string }>, thread: Worker): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (this.#waiting.size === 0) thread.unref()
    if ('fault' in answer) waiting?.reject(new StoreError(answer.fault.code, answer.fault.message))
    else waiting?.resolve(answer.output)
  }

  /** The thread has ended: what it was asked for may or may not have been done; the next request starts another. */
  #lose(thread: Worker, cause?: unknown): void {
    if (this.#thread !== thread) return
    this.#thread = undefined
    const why = cause === undefined ? '' : `: ${asError(cause).message}`
    const lost = new StoreError(
      'STORE_FAILED',
      `The thread that writes the task store has ended${why}. The next write starts another.`,
      { cause },
    )
    for (const waiting of this.#waiting.values()) waiting.reject(lost)
    this.#waiting.clear()
  }
}

interface Waiting {
  resolve(output: unknown): void
  reject(error: Error): void
}

// Built or run from source: this file's own ending tells.
const threadFile = new URL(`./thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
