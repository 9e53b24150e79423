import { setTimeout as delay } from 'node:timers/promises'
import { MacaronError } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import { growingPauseMs } from '../core/growing-pause.ts'
import { Trouble } from '../core/trouble.ts'
import type { TaskMessage } from '../tasks/message.ts'
import type { TaskState } from '../tasks/states.ts'
import { answersOf, failureIn, isFailure } from './answers.ts'
import type { Engine, TaskRecord } from './engine.ts'
import { Forwarder } from './forwarder.ts'

export interface MoveOptions {
  readonly from: Engine
  readonly to: Engine
  /** How many have been moved so far. */
  onProgress(moved: number): void
}

/** What has become of the tasks that were to be moved. */
export interface Moved {
  readonly moved: number
  /**
   * How many lie parked as `lost` and are not in the other store: whoever had them in hand was killed, a worker or an earlier move, and whether they have run (there
   * too, and were deleted since) nobody knows.
   */
  readonly lost: number
}

const pageSize = 500

/**
 * Moves all tasks that are to run from one engine to another, until none is left or `stop` is called. Each is stored there before it is deleted here, under its
 * own id: interrupted anywhere and run again, it loses and doubles nothing. Attempts made so far are not counted there; what is over stays here. Where the other
 * store fails on the way it waits, tells why once, and goes on.
 */
export class Move {
  readonly #options: MoveOptions
  readonly #empty = Promise.withResolvers<void>()
  readonly #forwarder: Forwarder
  readonly #trouble = new Trouble()
  readonly #stopping = new AbortController()
  #moved = 0

  constructor(options: MoveOptions) {
    this.#options = options
    this.#forwarder = new Forwarder({
      from: options.from,
      store: (batch) => options.to.enqueue(batch),
      onForwarded: (count) => this.#count(count),
      onEmpty: this.#empty.resolve,
      onHeldUp: () => void this.#tellWhy(),
    })
  }

  /** @throws MacaronError `WORKERS_ALIVE`, `SAME_STORE`; StoreError. */
  async run(): Promise<Moved> {
    const workers = await this.#options.from.workers()
    if (workers.length > 0) throw workersAlive(workers.length)
    if (await this.#isOneStore()) throw sameStore()
    // What was taken from there once, and is not deleted yet, would count as stored.
    await this.#options.to.purge({})
    await this.#moveScheduled()
    this.#forwarder.begin()
    await this.#empty.promise
    const lost = await this.#takeLost()
    return { moved: this.#moved, lost }
  }

  /** What is not moved yet stays where it is. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#forwarder.stop()
    this.#empty.resolve()
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
    for await (const page of this.#pagesOf('scheduled')) {
      let left = page
      for (let failures = 0; left.length > 0 && !this.#stopping.signal.aborted; failures++) {
        if (failures > 0) await this.#pause(growingPauseMs(failures))
        left = await this.#movePage(left)
      }
    }
  }

  /** Resolves with those that the other store could not take. */
  async #movePage(page: readonly TaskRecord[]): Promise<readonly TaskRecord[]> {
    const { from, to } = this.#options
    // One that is to be tried again is due later than it was fired for.
    const batch = page.map(({ message, runAt }) => ({ ...message, runAt }))
    const answers = await answersOf(batch, (all) => to.enqueue(all))
    const moved = page.filter((_record, index) => answers[index]?.stored)
    await Promise.all(moved.map(({ message }) => from.remove(message.id)))
    if (moved.length > 0) this.#count(moved.length)
    const failure = failureIn(answers)
    if (failure === undefined) this.#trouble.worked()
    else this.#trouble.failed(failure)
    return page.filter((_record, index) => isFailure(answers[index]))
  }

  /** What an earlier move had in hand when it was killed is parked as lost where it must not start twice; where the other store has it, it was moved. */
  async #takeLost(): Promise<number> {
    const { from, to } = this.#options
    let lost = 0
    for await (const page of this.#pagesOf('parked'))
      for (const { message, reason } of page) {
        if (reason !== 'lost') continue
        if ((await to.find(message.id)) === undefined) lost++
        else if ((await from.remove(message.id)).done) this.#count(1)
      }
    return lost
  }

  /** All in one state, until it is told to stop. */
  async *#pagesOf(state: TaskState): AsyncGenerator<readonly TaskRecord[]> {
    let before = {}
    for (;;) {
      const page = await this.#options.from.list({ state, limit: pageSize, ...before })
      const last = page.at(-1)
      if (last === undefined || this.#stopping.signal.aborted) return
      yield page
      before = { before: last.message.id }
    }
  }

  /** Shorter where it is told to stop. */
  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
  }

  /** Such as that its queue was paused. */
  async #tellWhy(): Promise<void> {
    const { reasons } = await this.#options.from.health()
    for (const message of reasons) emit('notice', { message })
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

function workersAlive(count: number): MacaronError {
  return new MacaronError(
    'WORKERS_ALIVE',
    `${count === 1 ? 'A worker runs' : `${count} workers run`} tasks of the store that is to be emptied: they could run what has been moved already. Stop them first (servers may go on).`,
  )
}
