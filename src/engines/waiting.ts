import { asError, codeOf, StoreError } from '../core/errors.ts'
import { growingPauseMs } from '../core/growing-pause.ts'
import { Trouble } from '../core/trouble.ts'
import type { TaskMessage } from '../tasks/message.ts'
import type { TaskState } from '../tasks/states.ts'
import type {
  Abilities,
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
} from './engine.ts'

export interface WaitingOptions {
  readonly abilities: Abilities
  /** Opens the engine that does the work. Called again, after a pause of 100 ms that doubles up to 5 s, until it has succeeded once. */
  open(): Promise<Engine>
}

/**
 * An engine for processes that must run whether or not the store can be opened: a server whose other operations need no store. Until it is open,
 * every method rejects with why it is not; the log says so once for each code, and again when it is mended.
 */
export class WaitingEngine implements Engine {
  readonly abilities: Abilities
  readonly #open: WaitingOptions['open']
  readonly #trouble = new Trouble()
  readonly #opened = Promise.withResolvers<Engine>()
  readonly #firstTry: Promise<void>
  #engine: Engine | undefined
  #failure: Error | undefined
  #failures = 0
  #pause: NodeJS.Timeout | undefined
  #closed: Promise<void> | undefined

  constructor(options: WaitingOptions) {
    this.abilities = options.abilities
    this.#open = options.open
    this.#firstTry = this.#try()
  }

  enqueue(batch: readonly TaskMessage[]): Promise<readonly EnqueueAnswer[]> {
    return this.#use((engine) => engine.enqueue(batch))
  }

  consume(consumer: Consumer): Promise<Consumption> {
    return this.#use((engine) => engine.consume(consumer))
  }

  cancel(id: string): Promise<ActionAnswer> {
    return this.#use((engine) => engine.cancel(id))
  }

  retry(id: string): Promise<ActionAnswer> {
    return this.#use((engine) => engine.retry(id))
  }

  remove(id: string): Promise<ActionAnswer> {
    return this.#use((engine) => engine.remove(id))
  }

  purge(options: { readonly states?: readonly TaskState[] }): Promise<number> {
    return this.#use((engine) => engine.purge(options))
  }

  find(id: string): Promise<TaskRecord | undefined> {
    return this.#use((engine) => engine.find(id))
  }

  list(filter: ListFilter): Promise<readonly TaskRecord[]> {
    return this.#use((engine) => engine.list(filter))
  }

  counts(): Promise<Readonly<Record<TaskState, number>>> {
    return this.#use((engine) => engine.counts())
  }

  watch(id: string, listener: TaskListener): () => void {
    if (this.#engine !== undefined) return this.#engine.watch(id, listener)
    let unwatch: (() => void) | undefined
    let isOver = false
    void this.#opened.promise.then((engine) => {
      if (!isOver) unwatch = engine.watch(id, listener)
    })
    return () => {
      isOver = true
      unwatch?.()
    }
  }

  workers(): Promise<readonly WorkerInfo[]> {
    return this.#use((engine) => engine.workers())
  }

  async health(): Promise<EngineHealth> {
    return this.#engine?.health() ?? unopenedHealth(this.#failure)
  }

  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  #use<T>(use: (engine: Engine) => Promise<T>): Promise<T> {
    return this.#engine === undefined ? this.#useFirst(use) : use(this.#engine)
  }

  /** Only the first try is waited for: it is the usual case that it succeeds. */
  async #useFirst<T>(use: (engine: Engine) => Promise<T>): Promise<T> {
    await this.#firstTry
    if (this.#engine !== undefined) return use(this.#engine)
    throw this.#failure ?? closedUnopened()
  }

  async #try(): Promise<void> {
    try {
      await this.#take(await this.#open())
    } catch (error) {
      this.#failed(asError(error))
    }
  }

  /** A try that was under way when this was closed is nobody's any more. */
  async #take(engine: Engine): Promise<void> {
    if (this.#closed !== undefined) return engine.close()
    this.#engine = engine
    this.#trouble.worked()
    this.#opened.resolve(engine)
  }

  #failed(error: Error): void {
    if (this.#closed !== undefined) return
    this.#failure = error
    this.#failures++
    this.#trouble.failed(error)
    this.#pause = setTimeout(() => void this.#try(), growingPauseMs(this.#failures)).unref()
  }

  async #end(): Promise<void> {
    clearTimeout(this.#pause)
    this.#failure ??= closedUnopened()
    await this.#engine?.close()
  }
}

/** The health of a store that can't be opened, or (no `failure`) is not open yet. */
export function unopenedHealth(failure: Error | undefined): EngineHealth {
  const reason = failure === undefined ? 'The task store is being opened.' : reasonOf(failure)
  return {
    ok: false,
    storing: false,
    reasons: [reason],
    warnings: [],
    waiting: 0,
    running: 0,
    parked: 0,
    oldestWaitMs: 0,
    workers: 0,
  }
}

/** A failure of the store as a reason in its health: in words, with the code to look up. */
export function reasonOf(thrown: unknown): string {
  const error = asError(thrown)
  const code = codeOf(error)
  return code === undefined ? error.message : `${error.message} [${code}]`
}

function closedUnopened(): StoreError {
  return new StoreError(
    'STORE_CLOSED',
    'The task store was closed before it could be opened: the service is stopping.',
  )
}
