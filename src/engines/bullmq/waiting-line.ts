import { type IQueueBackend, RedisQueueBackend } from 'bullmq'
import { type Cluster, Command, type Redis } from 'ioredis'
import { type TakenNext, takenNext, takeOf } from './bulk.ts'
import { type Script, takeAllOn } from './scripts.ts'
import type { Store } from './store.ts'
import type { Claim } from './taking.ts'

export interface WaitingLineOptions {
  readonly store: Store
  /** BullMQ's worker: it has a connection to wait on. */
  readonly queue: IQueueBackend
  readonly owner: string
}

/** How long a wake-up lasts that comes when nobody waits. */
const wakeLastsMs = 5_000

/**
 * Waits until BullMQ's marker tells that there is something to take, or until it is woken, on the connection that BullMQ has for that. What is to be taken then is asked for in the same
 * breath: Redis does what one connection asks of it in order, so an idle worker has a task one way over the network after it was stored, and not three.
 */
export class WaitingLine {
  readonly #options: WaitingLineOptions
  #takeAll: Script | undefined

  constructor(options: WaitingLineOptions) {
    this.#options = options
  }

  /** Takes for these claims what is there in `ms` at the latest. @throws StoreError. */
  async take(claims: readonly Claim[], ms: number): Promise<TakenNext> {
    const { store, owner } = this.#options
    // What is due by the end only is seen to when it is.
    const until = store.now() + ms - 1
    const { keys, values } = takeOf({ store, claims, owner, now: until, startedAt: 0 })
    const seconds = Math.max(ms, leastMs) / 1000
    try {
      const client = await this.#client()
      this.#takeAll ??= takeAllOn(client)
      const wait = new Command('bzpopmin', [store.keys.marker, store.own.wake(owner), seconds])
      // In the same turn: nothing comes between the two.
      const [, answer] = await Promise.all([client.sendCommand(wait), this.#takeAll(keys, values)])
      return takenNext(claims, answer)
    } catch (error) {
      throw store.link.failure(error)
    }
  }

  /** Ends the wait. @throws StoreError. */
  async wake(): Promise<void> {
    const { store, owner } = this.#options
    const key = store.own.wake(owner)
    await store.link.use((client) => client.multi().zadd(key, 0, 'wake').pexpire(key, wakeLastsMs).exec())
  }

  async #client(): Promise<Redis | Cluster> {
    const { queue } = this.#options
    const client = queue instanceof RedisQueueBackend ? await queue.blockingClient : undefined
    // BullMQ's own face of the connection that we have given it, which passes on whatever it doesn't know.
    return client as unknown as Redis | Cluster
  }
}

/** 0 would be for ever. */
const leastMs = 1
