import { waitYielding } from './patience.ts'
import { announce, type Input, type Output, perform, type Sync, type Verb } from './requests.ts'
import type { Store } from './store.ts'

/** Where writes go: a connection on this loop, or a thread that has one. */
export interface Writer {
  /** @throws StoreError when it can't be done. */
  request<V extends Verb>(verb: V, input: Input<V>): Promise<Output<V>>
  /** Finishes what was asked for, then ends. Idempotent. */
  close(): Promise<void>
}

/** Writes on this loop: for processes that answer no requests. */
export class DirectWriter implements Writer {
  readonly #store: Store
  readonly #sync: Sync

  constructor(store: Store, sync: Sync) {
    this.#store = store
    this.#sync = sync
  }

  async request<V extends Verb>(verb: V, input: Input<V>): Promise<Output<V>> {
    const output = await waitYielding(
      () => perform(this.#store, this.#sync, { verb, input }),
      this.#store.file,
    )
    announce(this.#store, verb)
    return output
  }

  async close(): Promise<void> {
    this.#store.close()
  }
}
