import type { Checkpoints } from './checkpoints.ts'
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

/**
 * Does what the engine is asked for, one transaction a request. Commits are made on the loop, which takes tens of microseconds and never waits for a lock;
 * what has to survive a power cut is answered after a flush, which happens in another thread.
 */
export class Writer {
  readonly #options: WriterOptions
  /** The write before the next: they come one after another, in the order in which they were asked for. */
  #last: Promise<unknown> = Promise.resolve()
  #heldUpMs = 0
  #beating: NodeJS.Timeout | undefined

  constructor(options: WriterOptions) {
    this.#options = options
  }

  /** `bytes`: about how many are written. @throws StoreError when it can't be done. */
  async request<V extends Verb>(verb: V, input: Input<V>, bytes = 0): Promise<Output<V>> {
    this.#beat()
    const asked = this.#clock()
    const { output, flushed } = await this.#inTurn(() => this.#write({ verb, input, bytes, asked }))
    await flushed
    return output
  }

  /** @throws StoreError where further tasks can't be added: `STORE_FULL`, or `STORE_CORRUPT` where nobody may find them later. */
  proveRoom(): Promise<void> {
    return this.#inTurn(() => this.#prepare(0))
  }

  /** Finishes what was asked for, then ends. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#beating)
    await this.#last
    await this.#options.checkpoints?.close()
    this.#options.store.close()
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }

  async #write<V extends Verb>({ verb, input, bytes, asked }: Write<V>): Promise<Written<V>> {
    const { store, sync, checkpoints } = this.#options
    await this.#holdUp(checkpoints?.room())
    if (verb === 'enqueue') {
      await this.#prepare(bytes)
      store.room.take(bytes)
    }
    const mustLast = sync === 'full' && isPromise(verb)
    let flushed: Promise<void> | undefined
    const attempt = () => {
      const done = perform(store, { verb, input })
      // At once: what was committed is in the log that is open now.
      if (done !== busy && mustLast) flushed = store.flush()
      return done
    }
    const output = await waitYielding(attempt, store.file, performance.now() - (this.#clock() - asked))
    if (wakes(verb)) store.wake()
    checkpoints?.wrote(bytes)
    return { output, flushed }
  }

  /** In ms; stands still while the disk holds up those who write: that is no lock that others hold. */
  #clock(): number {
    return performance.now() - this.#heldUpMs
  }

  async #holdUp(pending: Promise<void> | undefined): Promise<void> {
    if (pending === undefined) return
    const started = performance.now()
    await pending
    this.#heldUpMs += performance.now() - started
  }

  /** What is added to a damaged store may lie behind what can't be read. */
  async #prepare(bytes: number): Promise<void> {
    const damage = this.#options.store.damage()
    if (damage !== undefined) throw damage
    await this.#makeRoom(bytes)
  }

  /** A thread copies most of the log, so that the rest doesn't hold up the loop for long. @throws StoreError `STORE_FULL` */
  async #makeRoom(bytes: number): Promise<void> {
    const { store, checkpoints } = this.#options
    if (store.room.fits(bytes, 'task')) return
    if (store.canEmptyLog()) {
      await this.#holdUp(checkpoints?.now())
      store.emptyLog()
    }
    if (!store.room.fits(bytes, 'task')) throw store.room.lacking(bytes, 'task')
  }

  /** Once something was written. A beat that fails says nothing: the next request meets the same failure and tells its caller. */
  #beat(): void {
    if (this.#beating !== undefined || this.#options.checkpoints === undefined) return
    const beat = () => this.request('beat', { now: this.#options.now() }).catch(() => undefined)
    this.#beating = setInterval(beat, beatEveryMs).unref()
  }
}

interface Write<V extends Verb> {
  readonly verb: V
  readonly input: Input<V>
  readonly bytes: number
  /** When, by the writer's clock. */
  readonly asked: number
}

interface Written<V extends Verb> {
  readonly output: Output<V>
  /** When it survives a power cut. */
  readonly flushed: Promise<void> | undefined
}
