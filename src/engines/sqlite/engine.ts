import { join, resolve } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { MacaronError, StoreError } from '../../core/errors.ts'
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
import { sqliteAbilities } from './abilities.ts'
import { Checkpoints } from './checkpoints.ts'
import { startConsumption } from './consumption.ts'
import { bytesOf, fieldsOf } from './enqueue.ts'
import { examine } from './health.ts'
import { findTask, listTasks } from './lookup.ts'
import { isInMemory } from './memory.ts'
import { readWorkers } from './owners.ts'
import { Reader } from './reader.ts'
import { Recheck } from './recheck.ts'
import type { Sync } from './requests.ts'
import { sliceSize } from './retention.ts'
import { siteOf } from './site.ts'
import { Store } from './store.ts'
import { openPatiently } from './takeover.ts'
import { readTotals } from './totals.ts'
import { watchersOf } from './watchers.ts'
import { Writer } from './writer.ts'

export interface SqliteOptions {
  /** The service's `.macaron/`; the store is `tasks.db` in it. Made where it is missing. Or the `file` of a MemoryStore. */
  readonly folder: string
  /** What survives when the power fails: `full`, all that was answered as stored or done; `normal`, all but the last moments. */
  readonly sync: Sync
  /** `server`: the log is copied into the database file by a thread, so that the loop never waits for the disk. `worker`: by the commits themselves, for processes that answer no requests. */
  readonly role: 'server' | 'worker'
  /** ms since epoch. Default: the system's clock. */
  readonly now?: () => number
  /** Largest database file, in bytes; beyond it nothing more is stored (`STORE_FULL`). Default: as large as SQLite takes it. */
  readonly maxBytes?: number
  /** Most settled tasks that a worker keeps; beyond it the oldest done ones are deleted first. Default 1,000,000. */
  readonly keptTasks?: number
  /** The name of the service that alone may use it, as a spool. Default: any may. */
  readonly onlyFor?: string
}

/** Pages of log (4 KiB each) before a commit copies them into the database file. */
const checkpointPages = { worker: 2_000, server: 0 }

/** A failed write makes the store count as failing for this long, unless one succeeds. */
const failureCountsMs = 5_000

/**
 * Opens the embedded task store, made where there is none.
 * @throws StoreError `STORE_UNWRITABLE`, `STORE_FULL`, `STORE_CORRUPT`, `STORE_TOO_NEW`, `STORE_ON_NETWORK`, `STORE_BUSY`, `STORE_FAILED`, or
 * `SPOOL_OTHER_SERVICE` where it is not `onlyFor` this service, or `STORE_ELSEWHERE` while another machine uses it (which can take 6 s to find out).
 */
export async function openSqlite(options: SqliteOptions): Promise<Engine> {
  const { sync, role, maxBytes, onlyFor, now = Date.now, keptTasks = 1_000_000 } = options
  const inMemory = isInMemory(options.folder)
  const file = inMemory ? options.folder : join(resolve(options.folder), 'tasks.db')
  const store = new Store({ file, now, checkpointPages: checkpointPages[role], maxBytes, onlyFor })
  await openPatiently(store)
  const checkpoints = role === 'server' && !inMemory ? new Checkpoints(file) : undefined
  const writer = new Writer({ store, sync, now, checkpoints })
  const recheck = inMemory ? undefined : new Recheck(file, siteOf(file).damage())
  return new SqliteEngine({ store, writer, recheck, now, keptTasks })
}

interface Parts {
  readonly store: Store
  readonly writer: Writer
  readonly recheck: Recheck | undefined
  readonly now: () => number
  readonly keptTasks: number
}

class SqliteEngine implements Engine {
  readonly abilities = sqliteAbilities
  readonly #parts: Parts
  readonly #reader: Reader
  readonly #watchers: Watchers
  #consumption: Promise<Consumption> | undefined
  #isConsuming = false
  #failure: { readonly error: unknown; readonly at: number } | undefined
  #closed: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.#reader = new Reader(parts.store.file)
    this.#watchers = watchersOf(this.#reader)
  }

  async enqueue(batch: readonly TaskMessage[]): Promise<readonly EnqueueAnswer[]> {
    if (batch.length === 0) return []
    const answers: EnqueueAnswer[] = batch.map(() => stored)
    for (const { index, message } of await this.#store(batch)) {
      const text = `The task ${batch[index]?.name} (${batch[index]?.id}) can't be stored: ${message}`
      answers[index] = { stored: false, error: new StoreError('STORE_REFUSED', text) }
    }
    return answers
  }

  async #store(batch: readonly TaskMessage[]) {
    const { writer, now } = this.#parts
    try {
      const refusals = await writer.request(
        'enqueue',
        { fields: fieldsOf(batch), now: now() },
        bytesOf(batch),
      )
      this.#failure = undefined
      return refusals
    } catch (error) {
      this.#failure = { error, at: performance.now() }
      throw error
    }
  }

  async consume(consumer: Consumer): Promise<Consumption> {
    if (this.#isConsuming) throw alreadyConsuming()
    const { store, now, keptTasks } = this.#parts
    this.#isConsuming = true
    const onEnd = () => {
      this.#isConsuming = false
    }
    this.#consumption = startConsumption({ store, consumer, now, keptTasks, onEnd })
    this.#consumption.catch(onEnd)
    return this.#consumption
  }

  cancel(id: string): Promise<ActionAnswer> {
    return this.#parts.writer.request('cancel', { id, now: this.#parts.now() })
  }

  retry(id: string): Promise<ActionAnswer> {
    return this.#parts.writer.request('retry', { id, now: this.#parts.now() })
  }

  remove(id: string): Promise<ActionAnswer> {
    return this.#parts.writer.request('remove', { id, now: this.#parts.now() })
  }

  async purge({ states }: { readonly states?: readonly TaskState[] }): Promise<number> {
    const { writer, now } = this.#parts
    const expiredAt = states === undefined ? now() : undefined
    for (let total = 0; ; ) {
      const deleted = await writer.request('purge', { states, expiredAt })
      total += deleted
      if (deleted < sliceSize) return total
      await nextTurn()
    }
  }

  find(id: string): Promise<TaskRecord | undefined> {
    return this.#reader.read((sql) => findTask(sql, id))
  }

  list(filter: ListFilter): Promise<readonly TaskRecord[]> {
    return listTasks(this.#reader, filter)
  }

  counts(): Promise<Readonly<Record<TaskState, number>>> {
    return this.#reader.read(readTotals)
  }

  watch(id: string, listener: TaskListener): () => void {
    return this.#watchers.watch(id, listener)
  }

  async workers(): Promise<readonly WorkerInfo[]> {
    const known = await this.#reader.read(readWorkers)
    const site = siteOf(this.#parts.store.file)
    return known.filter(({ owner }) => site.isAlive(owner))
  }

  health(): Promise<EngineHealth> {
    const { store, now } = this.#parts
    const probe = () => this.#probe()
    return examine({ store, reader: this.#reader, now, probe })
  }

  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #probe(): Promise<void> {
    const { writer, now } = this.#parts
    await writer.request('beat', { now: now() })
    await writer.proveRoom()
    const failure = this.#failure
    if (failure !== undefined && performance.now() - failure.at < failureCountsMs) throw failure.error
  }

  async #end(): Promise<void> {
    const consumption = await this.#consumption?.catch(() => undefined)
    await consumption?.stop()
    this.#watchers.close()
    await this.#parts.writer.close()
    await this.#parts.recheck?.close()
    this.#reader.close()
  }
}

const stored: EnqueueAnswer = Object.freeze({ stored: true })

function alreadyConsuming(): MacaronError {
  return new MacaronError(
    'ALREADY_CONSUMING',
    'This engine object is consuming already; open another for a second worker',
  )
}
