import type { Checkpoints } from './checkpoints.ts'
import { isWorthEmptying } from './log-length.ts'
import { beatEveryMs } from './machine.ts'
import { busy, waitYielding } from './patience.ts'
import { type Input, isPromise, type Output, perform, type Sync, type Verb, wakes } from './requests.ts'
import type { Store } from './store.ts'

export interface WriterOptions {
  readonly store: Store
  readonly sync: Sync
  readonly now: () => number
  /** For processes that answer requests: the loop copies no log, and the machine's signs of life are given here. */
  readonly checkpoints: Checkpoints | undefined
}

/** When the log is tried again that others kept from being emptied. */
const emptyAgainMs = 250

/**
 * Does what the engine is asked for, one transaction a request. Commits are made on the loop, which takes tens of microseconds and never waits for a lock;
 * what has to survive a power cut is answered after a flush, which happens in another thread.
 */
export class Writer {
  readonly #options: WriterOptions
  #emptyAt = Number.NEGATIVE_INFINITY
  #emptying: Promise<void> | undefined
  #beating: NodeJS.Timeout | undefined

  constructor(options: WriterOptions) {
    this.#options = options
  }

  /** `bytes`: about how many are written. @throws StoreError when it can't be done. */
  async request<V extends Verb>(verb: V, input: Input<V>, bytes = 0): Promise<Output<V>> {
    const { store, sync, checkpoints } = this.#options
    this.#beat()
    const pending = checkpoints?.room()
    if (pending !== undefined) await pending
    if (verb === 'enqueue') await this.#takeRoom(bytes)
    const mustLast = sync === 'full' && isPromise(verb)
    let flushed: Promise<void> | undefined
    const output = await waitYielding(() => {
      const done = perform(store, { verb, input })
      // At once: what was committed is in the log that is open now.
      if (done !== busy && mustLast) flushed = store.flush()
      return done
    }, store.file)
    if (wakes(verb)) store.wake()
    checkpoints?.wrote(bytes)
    await flushed
    return output
  }

  /** @throws StoreError `STORE_FULL` where the disk has no room for further tasks. */
  async proveRoom(): Promise<void> {
    await this.#takeRoom(0)
  }

  /** Finishes what was asked for, then ends. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#beating)
    await this.#options.checkpoints?.close()
    this.#options.store.close()
  }

  /** @throws StoreError `STORE_FULL` */
  async #takeRoom(bytes: number): Promise<void> {
    const { room } = this.#options.store
    if (!room.fits(bytes)) await this.#emptyLog()
    if (!room.fits(bytes)) throw room.lacking(bytes)
    room.take(bytes)
  }

  /** Once for all that need its room at the same time. */
  async #emptyLog(): Promise<void> {
    const isDue = performance.now() >= this.#emptyAt
    if (isDue && isWorthEmptying(this.#options.store.file)) this.#emptying ??= this.#copyLog()
    await this.#emptying
  }

  /** A thread copies most of it, so that the rest doesn't hold up the loop for long. */
  async #copyLog(): Promise<void> {
    const { store, checkpoints } = this.#options
    try {
      await checkpoints?.now()
      store.emptyLog()
    } finally {
      if (isWorthEmptying(store.file)) this.#emptyAt = performance.now() + emptyAgainMs
      this.#emptying = undefined
    }
  }

  /** Once something was written. A beat that fails says nothing: the next request meets the same failure and tells its caller. */
  #beat(): void {
    if (this.#beating !== undefined || this.#options.checkpoints === undefined) return
    const beat = () => this.request('beat', { now: this.#options.now() }).catch(() => undefined)
    this.#beating = setInterval(beat, beatEveryMs).unref()
  }
}
