import { type IQueueBackend, Queue } from 'bullmq'
import { asError } from '../../core/errors.ts'
import { type JobKeys, jobKeys, type OwnKeys, ownKeys, prefixOf, queueName } from './keys.ts'
import type { Link } from './link.ts'
import { type Scripts, scriptsOn } from './scripts.ts'

export interface StoreOptions {
  readonly service: string
  readonly now: () => number
  readonly warnings: readonly string[]
  /** How many replicas must have a task before it counts as stored. Default 0. */
  readonly replicas?: number
}

/** A service's tasks on one connection: BullMQ's queue, and what we keep beside it. */
export class Store {
  readonly link: Link
  readonly keys: JobKeys
  readonly own: OwnKeys
  readonly scripts: Scripts
  readonly now: () => number
  /** What is not as it should be with this Redis, though it works. */
  readonly warnings: readonly string[]
  readonly replicas: number
  /** What job keys begin with. */
  readonly base: string
  readonly #queue: Queue

  constructor(link: Link, { service, now, warnings, replicas = 0 }: StoreOptions) {
    this.link = link
    this.now = now
    this.warnings = warnings
    this.replicas = replicas
    this.#queue = new Queue(queueName, {
      connection: link.client,
      prefix: prefixOf(service),
      skipVersionCheck: true,
    })
    // Every command rejects with the same error, and tells its caller.
    this.#queue.on('error', (error) => void asError(error))
    this.keys = jobKeys(this.#queue.keys)
    this.base = this.#queue.toKey('')
    this.own = ownKeys(service)
    this.scripts = scriptsOn(link.client)
  }

  get queue(): IQueueBackend {
    return this.#queue.getBackend()
  }

  async close(): Promise<void> {
    await this.#queue.close().catch(() => undefined)
    this.link.close()
  }
}
