import { codeOf, StoreError } from '../../core/errors.ts'
import { emit } from '../../core/events.ts'
import type { TaskMessage } from '../../tasks/message.ts'
import type { TaskState } from '../../tasks/states.ts'
import { answersOf, failureIn, isFailure } from '../answers.ts'
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
} from '../engine.ts'
import { reasonOf } from '../waiting.ts'
import type { Spool } from './spool.ts'

export interface SpooledOptions {
  /** Where tasks belong. */
  readonly store: Engine
  readonly spool: Spool
  /** How long the store may take to answer before its tasks are spooled, in ms. */
  readonly patienceMs: number
}

/** How long nothing is offered to a store that has just failed, unless the spool's tasks are taken there meanwhile. */
const pauseMs = 1_000

/**
 * An engine on another machine, with a spool on this one: what it can't be asked to store now is stored in the spool, and forwarded when it is back. A store
 * that did not answer may have stored all the same; forwarding uses the same ids, so that is no second task.
 *
 * Tasks that must not start twice are never spooled: by the time they are forwarded, the store may have forgotten that it has run them.
 */
export class SpooledEngine implements Engine {
  readonly abilities: Abilities
  readonly #store: Engine
  readonly #spool: Spool
  readonly #patienceMs: number
  #asideUntil = Number.NEGATIVE_INFINITY
  #isAside = false
  /** Why it was set aside, as the log says. */
  #toldCode: string | undefined
  /** Batches that the store was asked to take, and the last of them of which something is known. */
  #sent = 0
  #judged = 0
  #closed: Promise<void> | undefined

  constructor({ store, spool, patienceMs }: SpooledOptions) {
    this.abilities = store.abilities
    this.#store = store
    this.#spool = spool
    this.#patienceMs = patienceMs
    spool.begin({
      // In as much time as the store gives itself: nobody waits for it.
      store: (batch) => store.enqueue(batch),
      isTold: (failure) => this.#isAside && codeOf(failure) === this.#toldCode,
      cancel: (id) => store.cancel(id),
      onStored: () => {
        this.#asideUntil = Number.NEGATIVE_INFINITY
      },
      onEmpty: () => {
        this.#isAside = false
      },
    })
  }

  async enqueue(batch: readonly TaskMessage[]): Promise<readonly EnqueueAnswer[]> {
    const answers = await this.#answersOf(batch)
    const failed = batch.filter((message, index) => isSpooled(message, answers[index]))
    if (failed.length === 0) return answers
    const spooled = await this.#spool.enqueue(failed)
    const answerOf = new Map(failed.map(({ id }, index) => [id, spooled[index]]))
    return answers.map((answer, index) => answerOf.get(batch[index]?.id ?? '') ?? answer)
  }

  consume(consumer: Consumer): Promise<Consumption> {
    return this.#store.consume(consumer)
  }

  /** Where the store does not answer, what is cancelled in the spool counts as cancelled: it is cancelled in the store too once that is back. */
  async cancel(id: string): Promise<ActionAnswer> {
    const spooled = await this.#spool.cancel(id)
    if (!spooled.done) return this.#store.cancel(id)
    const answer = await this.#inTime(this.#store.cancel(id)).catch(() => undefined)
    if (answer === undefined || answer.done || answer.state === undefined) return spooled
    await this.#spool.remove(id)
    return answer
  }

  async retry(id: string): Promise<ActionAnswer> {
    const answer = await this.#act('retry', id)
    this.#spool.wake()
    return answer
  }

  remove(id: string): Promise<ActionAnswer> {
    return this.#act('remove', id)
  }

  purge(options: { readonly states?: readonly TaskState[] }): Promise<number> {
    return this.#store.purge(options)
  }

  async find(id: string): Promise<TaskRecord | undefined> {
    return (await this.#spool.find(id)) ?? this.#store.find(id)
  }

  /** What waits in the spool, and what the store has. */
  async list(filter: ListFilter): Promise<readonly TaskRecord[]> {
    const spooled = await this.#spool.list(filter)
    const stored = await this.#store.list(filter)
    const ids = new Set(spooled.map(({ message }) => message.id))
    return [...spooled, ...stored.filter(({ message }) => !ids.has(message.id))]
      .toSorted((one, other) => (one.message.id < other.message.id ? 1 : -1))
      .slice(0, filter.limit ?? 50)
  }

  async counts(): Promise<Readonly<Record<TaskState, number>>> {
    const stored = await this.#store.counts()
    const { waiting, parked } = await this.#spool.left()
    return { ...stored, queued: stored.queued + waiting, parked: stored.parked + parked }
  }

  watch(id: string, listener: TaskListener): () => void {
    let isOver = false
    const tell: TaskListener = async (task) => {
      const isOnlyHere = task?.state !== 'cancelled' || (await this.#isUnknownInStore(id))
      if (isOnlyHere && !isOver) listener(task)
    }
    const endings = [this.#store.watch(id, listener), this.#spool.watch(id, tell)]
    return () => {
      isOver = true
      for (const end of endings) end()
    }
  }

  workers(): Promise<readonly WorkerInfo[]> {
    return this.#store.workers()
  }

  async health(): Promise<EngineHealth> {
    return withSpooled(await this.#store.health(), this.#spool)
  }

  close(): Promise<void> {
    this.#closed ??= this.#spool.close().finally(() => this.#store.close())
    return this.#closed
  }

  /** A store that has it tells itself what becomes of it: it may be running there. */
  async #isUnknownInStore(id: string): Promise<boolean> {
    const found = await this.#inTime(this.#store.find(id)).catch(() => undefined)
    return found === undefined
  }

  async #act(verb: 'retry' | 'remove', id: string): Promise<ActionAnswer> {
    const answer = await this.#spool[verb](id)
    return answer.done ? answer : this.#store[verb](id)
  }

  async #answersOf(batch: readonly TaskMessage[]): Promise<readonly EnqueueAnswer[]> {
    if (performance.now() < this.#asideUntil) return batch.map(() => ({ stored: false, error: away() }))
    const number = ++this.#sent
    const answers = await answersOf(batch, () => this.#inTime(this.#store.enqueue(batch)))
    this.#judge(number, failureIn(answers))
    return answers
  }

  /** What came of a batch counts until something is known of a later one. */
  #judge(number: number, error: Error | undefined): void {
    if (number < this.#judged) return
    this.#judged = number
    if (error === undefined) this.#worked()
    else this.#failed(error)
  }

  /** @throws StoreError `STORE_UNREACHABLE` where it takes too long. */
  async #inTime<T>(answer: Promise<T>): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(tooSlow(this.#patienceMs)), this.#patienceMs)
    return Promise.race([answer, late]).finally(() => clearTimeout(timer))
  }

  #failed(error: Error): void {
    this.#asideUntil = performance.now() + pauseMs
    if (this.#isAside) return
    this.#isAside = true
    this.#toldCode = codeOf(error)
    emit('spool.begin', { code: codeOf(error), message: error.message })
  }

  #worked(): void {
    this.#asideUntil = Number.NEGATIVE_INFINITY
    this.#isAside = false
  }
}

/** A store's health and its spool's in one: while the spool takes tasks, they can be stored. Never rejects. */
export async function withSpooled(health: EngineHealth, spool: Spool): Promise<EngineHealth> {
  const reasons: string[] = []
  const left = await spool.left().catch((error) => {
    reasons.push(`What may wait in the spool of this machine can't be read: ${reasonOf(error)}`)
    return { waiting: 0, parked: 0 }
  })
  if (spool.isDamaged()) reasons.push(damagedSpool)
  if (left.waiting > 0) reasons.push(describeWait(left.waiting))
  // One that isn't there is not made where the store works.
  const { storing, oldestWaitMs } = left.waiting > 0 || !health.storing ? await spool.health() : health
  return {
    ...health,
    ok: health.ok && reasons.length === 0,
    storing: health.storing || storing,
    reasons: [...health.reasons, ...reasons],
    waiting: health.waiting + left.waiting,
    parked: health.parked + left.parked,
    oldestWaitMs: Math.max(health.oldestWaitMs, oldestWaitMs),
  }
}

const damagedSpool =
  "The spool of this machine is damaged: what waits in it can't all be read and forwarded. Stop the service, then either move `tasks.db` in `.macaron/spool` away with its -wal and -shm, or save what can be read from a copy with `sqlite3 copy.db .recover`. [STORE_CORRUPT]"

function isSpooled({ atMostOnce }: TaskMessage, answer: EnqueueAnswer | undefined): boolean {
  return !atMostOnce && isFailure(answer)
}

function describeWait(count: number): string {
  const tasks = count === 1 ? '1 task waits' : `${count} tasks wait`
  return `${tasks} in the spool of this machine to be forwarded to the task store.`
}

function away(): StoreError {
  return new StoreError(
    'STORE_UNREACHABLE',
    'The task store has failed within the last second; it is asked again soon',
  )
}

function tooSlow(ms: number): StoreError {
  return new StoreError('STORE_UNREACHABLE', `The task store has not answered within ${ms / 1000} s.`)
}
