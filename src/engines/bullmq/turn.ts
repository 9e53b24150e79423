import type { Store } from './store.ts'

const lastsMs = 900

/** What one worker does for all of a service, so that Redis isn't asked for it once for each of them. */
export class Turn {
  readonly #store: Store
  readonly #key: string

  constructor(store: Store) {
    this.#store = store
    this.#key = `${store.own.workers}:turn`
  }

  /** Whether it is this worker's turn: nobody else's for a second then, if it dies, and as long as it goes on to `keep` it. */
  async take(): Promise<boolean> {
    const answer = await this.#store.link.use((client) => client.set(this.#key, '', 'PX', lastsMs, 'NX'))
    return answer === 'OK'
  }

  async keep(): Promise<void> {
    await this.#store.link.use((client) => client.set(this.#key, '', 'PX', lastsMs))
  }
}
