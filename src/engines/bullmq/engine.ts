import { dirname, join, resolve } from 'node:path'
import { MacaronError, SetupError } from '../../core/errors.ts'
import { holders, isAlive } from '../../supervisor/alive.ts'
import type { TaskMessage } from '../../tasks/message.ts'
import type { TaskState } from '../../tasks/states.ts'
import type {
  ActionAnswer,
  Consumer,
  Consumption,
  Engine,
  EngineHealth,
  EnqueueAnswer,
  ListFilter,
  TaskListener,
  TaskRecord,
  WorkerInfo,
} from '../engine.ts'
import type { Watchers } from '../watchers.ts'
import { bullmqAbilities } from './abilities.ts'
import { cancelTask, purgeTasks, removeTask, retryTask } from './actions.ts'
import { readAddress } from './address.ts'
import { startConsumption } from './consumption.ts'
import { enqueue } from './enqueue.ts'
import { examine } from './health.ts'
import { Link } from './link.ts'
import { countTasks, findTask, listTasks } from './lookup.ts'
import { liveWorkers } from './presence.ts'
import { Store } from './store.ts'
import { checkTerms } from './terms.ts'
import { watchersOf } from './watchers.ts'

export interface BullmqOptions {
  /** `broker_url`. */
  readonly url: string
  /** The service's name: what keeps its tasks apart from those of others on the same Redis. */
  readonly service: string
  /** The service's `.macaron/`, where its workers on this machine say that they are alive. */
  readonly folder: string
  /** How many replicas must have a task before it counts as stored (`redis_wait`). Default 0; in a Cluster nothing else is possible. */
  readonly replicas?: number
  /** ms since epoch. Default: the system's clock. */
  readonly now?: () => number
}

/**
 * Opens the tasks of a service on Redis.
 * @throws SetupError `BROKER_INVALID`; StoreError `STORE_UNREACHABLE`, `STORE_LOGIN`, `STORE_NO_DATABASE`, `STORE_TOO_OLD`, `STORE_EVICTS`, `STORE_BUSY`, `STORE_FAILED`.
 */
export async function openBullmq(options: BullmqOptions): Promise<Engine> {
  const { url, service, folder, replicas = 0, now = Date.now } = options
  const address = readAddress(url, dirname(resolve(folder)))
  if (replicas > 0 && address.kind === 'cluster') throw notInCluster()
  const link = await Link.open(address)
  try {
    const warnings = await checkTerms(link, replicas)
    return new BullmqEngine(new Store(link, { service, now, warnings, replicas }), { service, folder })
  } catch (error) {
    link.close()
    throw error
  }
}

class BullmqEngine implements Engine {
  readonly abilities = bullmqAbilities
  readonly #store: Store
  readonly #place: Pick<BullmqOptions, 'service' | 'folder'>
  readonly #watchers: Watchers
  #consumption: Promise<Consumption> | undefined
  #isConsuming = false
  #closed: Promise<void> | undefined

  constructor(store: Store, place: Pick<BullmqOptions, 'service' | 'folder'>) {
    this.#store = store
    this.#place = place
    this.#watchers = watchersOf(store)
  }

  enqueue(batch: readonly TaskMessage[]): Promise<readonly EnqueueAnswer[]> {
    return enqueue(this.#store, batch)
  }

  async consume(consumer: Consumer): Promise<Consumption> {
    if (this.#isConsuming) throw alreadyConsuming()
    this.#isConsuming = true
    const onEnd = () => {
      this.#isConsuming = false
    }
    this.#consumption = startConsumption({ ...this.#place, store: this.#store, consumer, onEnd })
    this.#consumption.catch(onEnd)
    return this.#consumption
  }

  cancel(id: string): Promise<ActionAnswer> {
    return cancelTask(this.#store, id)
  }

  retry(id: string): Promise<ActionAnswer> {
    return retryTask(this.#store, id)
  }

  remove(id: string): Promise<ActionAnswer> {
    return removeTask(this.#store, id)
  }

  purge({ states }: { readonly states?: readonly TaskState[] }): Promise<number> {
    return purgeTasks(this.#store, states)
  }

  find(id: string): Promise<TaskRecord | undefined> {
    return findTask(this.#store, id)
  }

  list(filter: ListFilter): Promise<readonly TaskRecord[]> {
    return listTasks(this.#store, filter)
  }

  counts(): Promise<Readonly<Record<TaskState, number>>> {
    return countTasks(this.#store)
  }

  watch(id: string, listener: TaskListener): () => void {
    return this.#watchers.watch(id, listener)
  }

  /** Those of this machine that have been killed are left out at once, others when they have been silent for some seconds. */
  async workers(): Promise<readonly WorkerInfo[]> {
    const alive = join(this.#place.folder, 'alive')
    const own = new Set(holders(alive).map(({ id }) => id))
    const found = await liveWorkers(this.#store)
    return found.filter(({ owner }) => !own.has(owner) || isAlive(alive, owner))
  }

  health(): Promise<EngineHealth> {
    return examine(this.#store)
  }

  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end(): Promise<void> {
    const consumption = await this.#consumption?.catch(() => undefined)
    await consumption?.stop()
    this.#watchers.close()
    await this.#store.close()
  }
}

/** It is asked for on one connection; a Cluster has many, and its commands without keys go to any. */
function notInCluster(): SetupError {
  const message =
    'redis_wait is not possible in a Cluster: leave it out, or use a group of servers that sentinels watch over'
  return new SetupError('BROKER_INVALID', [{ message }])
}

function alreadyConsuming(): MacaronError {
  return new MacaronError(
    'ALREADY_CONSUMING',
    'This engine object is consuming already; open another for a second worker',
  )
}
