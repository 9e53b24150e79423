import { codeOf } from '../../core/errors.ts'
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
    const { link } = this.#store
    const answer = await link.use((client) => client.set(this.#key, '', 'PX', lastsMs, 'NX')).catch(whereFull)
    return answer === 'OK'
  }

  async keep(): Promise<void> {
    await this.#store.link.use((client) => client.set(this.#key, '', 'PX', lastsMs)).catch(whereFull)
  }
}

/** Where Redis is full nobody can say that it is theirs, so it is everybody's: what is done makes room. */
function whereFull(error: unknown): 'OK' {
  if (codeOf(error) === 'STORE_FULL') return 'OK'
  throw error
}
