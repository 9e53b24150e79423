import { MacaronError } from '../core/errors.ts'
import type { TaskMessage } from '../tasks/message.ts'
import type { Engine, TaskRecord } from './engine.ts'
import { Forwarder } from './forwarder.ts'

export interface MoveOptions {
  readonly from: Engine
  readonly to: Engine
  /** How many have been moved so far. */
  onProgress(moved: number): void
}

const pageSize = 500

/**
 * Moves all tasks that are to run from one engine to another, until none is left or `stop` is called. Each is stored there before it is deleted here, under its
 * own id: interrupted anywhere and run again, it loses and doubles nothing. Attempts made so far are not counted there; what is over stays here.
 */
export class Move {
  readonly #options: MoveOptions
  readonly #empty = Promise.withResolvers<void>()
  readonly #forwarder: Forwarder
  #moved = 0
  #isStopped = false

  constructor(options: MoveOptions) {
    this.#options = options
    this.#forwarder = new Forwarder({
      from: options.from,
      store: (batch) => options.to.enqueue(batch),
      onForwarded: (count) => this.#count(count),
      onEmpty: this.#empty.resolve,
    })
  }

  /** Resolves with how many were moved. @throws MacaronError `WORKERS_ALIVE`, `SAME_STORE`; StoreError. */
  async run(): Promise<number> {
    const workers = await this.#options.from.workers()
    if (workers.length > 0) throw workersAlive(workers.length)
    if (await this.#isOneStore()) throw sameStore()
    // What was taken from there once, and is not deleted yet, would count as stored.
    await this.#options.to.purge({})
    await this.#moveScheduled()
    this.#forwarder.begin()
    await this.#empty.promise
    return this.#moved
  }

  /** What is not moved yet stays where it is. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#empty.resolve()
    await this.#forwarder.stop()
  }

  /**
   * Whether what is stored there is found here. Names tell nothing: one store has many, and moving from it to itself would delete every task as stored already.
   * One id for all, so that one that was left behind by a death goes with the next.
   */
  async #isOneStore(): Promise<boolean> {
    const { from, to } = this.#options
    const [answer] = await to.enqueue([{ ...probe, runAt: Date.now() + 86_400_000 }])
    try {
      if (answer?.stored === false) throw answer.error
      return (await from.find(probe.id)) !== undefined
    } finally {
      await to.remove(probe.id)
    }
  }

  /** Nobody claims these before they are due. What the other store refuses is left to be forwarded, and parked, then. */
  async #moveScheduled(): Promise<void> {
    let before: string | undefined
    for (;;) {
      const page = await this.#options.from.list({
        state: 'scheduled',
        limit: pageSize,
        ...(before === undefined ? {} : { before }),
      })
      if (page.length === 0 || this.#isStopped) return
      await this.#movePage(page)
      before = page.at(-1)?.message.id
    }
  }

  async #movePage(page: readonly TaskRecord[]): Promise<void> {
    const { from, to } = this.#options
    // One that is to be tried again is due later than it was fired for.
    const answers = await to.enqueue(page.map(({ message, runAt }) => ({ ...message, runAt })))
    const moved = page.filter((_record, index) => answers[index]?.stored)
    await Promise.all(moved.map(({ message }) => from.remove(message.id)))
    if (moved.length > 0) this.#count(moved.length)
    const failed = answers.find((answer) => !answer.stored && !isRefusal(answer.error))
    if (failed?.stored === false) throw failed.error
  }

  #count(moved: number): void {
    this.#moved += moved
    this.#options.onProgress(this.#moved)
  }
}

const probe: TaskMessage = {
  id: '00000000-0000-7000-8000-000000000000',
  name: 'macaron.move',
  queue: 'default',
  priority: 0,
  runAt: 0,
  firedAt: 0,
  atMostOnce: false,
  args: '[]',
  options: '{}',
  context: '',
}

function sameStore(): MacaronError {
  return new MacaronError(
    'SAME_STORE',
    'Both URLs lead to the same store. Name another one with --to, or the new one in broker_url.',
  )
}

function isRefusal(error: Error): boolean {
  return error instanceof MacaronError && error.code === 'STORE_REFUSED'
}

function workersAlive(count: number): MacaronError {
  return new MacaronError(
    'WORKERS_ALIVE',
    `${count === 1 ? 'A worker runs' : `${count} workers run`} tasks of the store that is to be emptied: they could run what has been moved already. Stop them first (servers may go on).`,
  )
}
