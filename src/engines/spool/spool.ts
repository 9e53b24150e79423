import { asError, codeOf, StoreError } from '../../core/errors.ts'
import { emit } from '../../core/events.ts'
import { Trouble } from '../../core/trouble.ts'
import type { TaskMessage } from '../../tasks/message.ts'
import type { TaskState } from '../../tasks/states.ts'
import type {
  ActionAnswer,
  Engine,
  EngineHealth,
  EnqueueAnswer,
  ListFilter,
  TaskListener,
  TaskRecord,
} from '../engine.ts'
import { Forwarder, type ForwarderOptions } from '../forwarder.ts'
import { Cancelled, type CancelledOptions } from './cancelled.ts'

export interface SpoolOptions {
  /** Opens the engine that holds what is spooled; makes it where there is none. */
  open(): Promise<Engine>
  /** Whether there is one: what an earlier process has left is forwarded too. */
  exists(): boolean
  /** Whether some of it is known to be unreadable. */
  isDamaged(): boolean
  /** For processes that live on: forward what is in it. */
  readonly forwards: boolean
}

/** Where the tasks of a spool belong. */
export interface Target
  extends Required<Pick<ForwarderOptions, 'store' | 'isTold'>>,
    Pick<CancelledOptions, 'cancel'> {
  /** It takes tasks again. */
  onStored(): void
  /** Nothing is left in it. */
  onEmpty(): void
}

/** How much lies in a spool. */
export interface Left {
  readonly waiting: number
  /** What the store it belongs to has refused. */
  readonly parked: number
}

/** Of its engine's health. */
export type SpoolHealth = Pick<EngineHealth, 'oldestWaitMs' | 'storing'>

/** The embedded store of tasks that wait for the one they belong to; opened when it is first needed. */
export class Spool {
  readonly #options: SpoolOptions
  #engine: Promise<Engine> | undefined
  #target: Target | undefined
  #forwarded = 0
  #forwarder: Forwarder | undefined
  #cancelled: Cancelled | undefined
  readonly #trouble = new Trouble()
  #looking: NodeJS.Timeout | undefined
  /** How many were cancelled in it when it was looked last. */
  #cancelledThen = 0
  #isClosed = false
  /** Watches that begin when it is opened. */
  readonly #watches = new Set<(engine: Engine) => void>()

  constructor(options: SpoolOptions) {
    this.#options = options
  }

  /** Where it is forwarded to: what was left in it at once, and soon what other processes leave, put back or cancel there. */
  begin(target: Target): void {
    this.#target = target
    if (!this.#options.forwards) return
    if (this.#options.exists()) this.wake()
    this.#looking = setInterval(() => void this.#look(), lookEveryMs).unref()
  }

  /** There may be something to forward. */
  wake(): void {
    void this.#opened().then(
      (engine) => this.#forward(engine),
      (error) => this.#trouble.failed(error),
    )
  }

  /** One that can't be read is told of, and looked at again: what an earlier process has left in it waits nowhere else. */
  async #look(): Promise<void> {
    if (!this.#options.exists()) return
    try {
      const isWanted = await this.#needsForwarding(await this.#opened())
      this.#trouble.worked()
      if (isWanted) this.wake()
    } catch (error) {
      if (!this.#isClosed) this.#trouble.failed(error)
    }
  }

  /** Whether something is to be done that no process does: who forwards goes on until nothing is left, but looks only then at what was cancelled. */
  async #needsForwarding(engine: Engine): Promise<boolean> {
    const { queued, running, cancelled } = await engine.counts()
    const isAnyCancelled = cancelled !== this.#cancelledThen
    this.#cancelledThen = cancelled
    return isAnyCancelled || (queued + running > 0 && (await engine.workers()).length === 0)
  }

  /** Stores messages; one answer each, whatever happens. */
  async enqueue(batch: readonly TaskMessage[]): Promise<readonly EnqueueAnswer[]> {
    try {
      const engine = await this.#opened()
      // At once, whenever they are due: the store they belong to sees to that.
      const answers = await engine.enqueue(batch.map((message) => ({ ...message, runAt: 0 })))
      this.#forward(engine)
      return answers
    } catch (thrown) {
      const error = codeOf(thrown) === 'STORE_FULL' ? full(thrown) : asError(thrown)
      return batch.map(() => ({ stored: false, error }))
    }
  }

  /** A task that is in it and was not forwarded. */
  async find(id: string): Promise<TaskRecord | undefined> {
    const record = await this.#ifThere((engine) => engine.find(id))
    return record === undefined || isForwarded(record) ? undefined : shown(record)
  }

  async list(filter: ListFilter): Promise<readonly TaskRecord[]> {
    const states = filter.state === 'queued' ? shownAsQueued : [filter.state]
    const lists = await Promise.all(states.map((state) => this.#listOf(state, filter)))
    return lists
      .flat()
      .filter((record) => !isForwarded(record))
      .toSorted((one, other) => (one.message.id < other.message.id ? 1 : -1))
      .slice(0, filter.limit ?? 50)
      .map(shown)
      .filter(({ state }) => filter.state === undefined || filter.state === state)
  }

  async #listOf(
    state: TaskState | undefined,
    { state: _, ...others }: ListFilter,
  ): Promise<readonly TaskRecord[]> {
    const filter = state === undefined ? others : { ...others, state }
    return (await this.#ifThere((engine) => engine.list(filter))) ?? []
  }

  /** Tells when a task was cancelled or parked in it: who waits for it would wait for ever. How else it stands, the store that it belongs to tells. */
  watch(id: string, listener: TaskListener): () => void {
    let unwatch: (() => void) | undefined
    const tell: TaskListener = (task) => {
      if (task?.state === 'cancelled' || task?.state === 'parked') listener(task)
    }
    const begin = (engine: Engine) => {
      this.#watches.delete(begin)
      unwatch = engine.watch(id, tell)
    }
    this.#watches.add(begin)
    // One that can't be opened tells whoever fires next.
    this.#ifThere(async (engine) => this.#beginWatches(engine)).catch(() => undefined)
    return () => {
      this.#watches.delete(begin)
      unwatch?.()
    }
  }

  /** Also of those who have waited before there was a spool. */
  #beginWatches(engine: Engine): void {
    for (const begin of this.#watches) begin(engine)
  }

  async cancel(id: string): Promise<ActionAnswer> {
    const answer = await this.#act('cancel', id)
    if (answer.done) this.#cancelled?.look()
    return answer
  }

  retry(id: string): Promise<ActionAnswer> {
    return this.#act('retry', id)
  }

  remove(id: string): Promise<ActionAnswer> {
    return this.#act('remove', id)
  }

  async left(): Promise<Left> {
    const counts = await this.#ifThere((engine) => engine.counts())
    if (counts === undefined) return { waiting: 0, parked: 0 }
    return { waiting: counts.queued + counts.running, parked: counts.parked }
  }

  /** Whether some of what it holds may never be forwarded. */
  isDamaged(): boolean {
    return this.#options.isDamaged()
  }

  /** Whether something can be stored in it now, and since when the oldest waits that nobody is forwarding at this moment. */
  async health(): Promise<SpoolHealth> {
    return this.#opened().then(
      (engine) => engine.health(),
      () => ({ storing: false, oldestWaitMs: 0 }),
    )
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#looking)
    this.#cancelled?.close()
    const engine = await this.#engine?.catch(() => undefined)
    await this.#forwarder?.stop()
    await engine?.close()
  }

  async #act(verb: 'cancel' | 'retry' | 'remove', id: string): Promise<ActionAnswer> {
    return (await this.#ifThere((engine) => engine[verb](id))) ?? { done: false, state: undefined }
  }

  /** Where it can't be opened now, the next call tries again. */
  #opened(): Promise<Engine> {
    if (this.#engine !== undefined) return this.#engine
    const opening = this.#options.open()
    this.#engine = opening
    opening.then(
      (engine) => {
        this.#trouble.worked()
        this.#beginWatches(engine)
      },
      () => {
        this.#engine = undefined
      },
    )
    return opening
  }

  async #ifThere<T>(use: (engine: Engine) => Promise<T>): Promise<T | undefined> {
    if (this.#engine === undefined && !this.#options.exists()) return undefined
    return use(await this.#opened())
  }

  #forward(spool: Engine): void {
    const target = this.#target
    if (target === undefined || this.#isClosed || !this.#options.forwards) return
    this.#cancelled ??= new Cancelled({
      list: () => spool.list({ state: 'cancelled', limit: mostCancelled }),
      cancel: target.cancel,
      isCancelled: async (id) => (await spool.find(id))?.state === 'cancelled',
      forget: (id) => spool.remove(id),
    })
    this.#forwarder ??= new Forwarder({
      from: spool,
      store: target.store,
      isTold: target.isTold,
      stopWithinMs,
      onForwarded: (count) => {
        this.#forwarded += count
        target.onStored()
      },
      onEmpty: () => {
        this.#tell()
        target.onEmpty()
        this.#cancelled?.look()
      },
    })
    this.#forwarder.begin()
  }

  #tell(): void {
    if (this.#forwarded > 0) emit('spool.empty', { count: this.#forwarded })
    this.#forwarded = 0
  }
}

const mostCancelled = 10_000
const lookEveryMs = 5_000
/** What is under way when this process ends is forwarded again by another. */
const stopWithinMs = 1_000

function full(cause: unknown): StoreError {
  const message =
    'The task store is away and the spool is full: it has reached spool_limit, or its disk has no room left. Tasks are stored again by themselves when either has changed.'
  return new StoreError('SPOOL_FULL', message, { cause })
}

const shownAsQueued = ['queued', 'running'] as const

function isForwarded({ state }: TaskRecord): boolean {
  return state === 'done'
}

/** What the spool calls running is being forwarded. */
function shown(record: TaskRecord): TaskRecord {
  return record.state === 'running' ? { ...record, state: 'queued', owner: undefined } : record
}
