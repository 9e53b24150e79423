import { MacaronError } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import type { TaskMessage } from '../tasks/message.ts'
import type { TaskState } from '../tasks/states.ts'
import { answersOf, failureIn, isFailure } from './answers.ts'
import type { Engine, EnqueueAnswer, TaskRecord, WorkerInfo } from './engine.ts'
import { Forwarder } from './forwarder.ts'
import { Tries } from './tries.ts'

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
  /** How many are to run there still, as where it was stopped. */
  readonly left: number
  readonly parked: number
}

const pageSize = 500

/**
 * Moves all tasks that are to run from one engine to another, until none is left or `stop` is called. Each is stored there before it is deleted here, under its
 * own id: interrupted anywhere and run again, it loses and doubles nothing. Attempts made so far are not counted there; what is over stays here. Where one of the
 * stores fails on the way it waits, tells why once, and goes on.
 */
export class Move {
  readonly #options: MoveOptions
  readonly #empty = Promise.withResolvers<void>()
  readonly #forwarder: Forwarder
  readonly #stopping = new AbortController()
  readonly #here = new Tries(this.#stopping.signal)
  readonly #there = new Tries(this.#stopping.signal)
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

  /** How many have been moved so far, however it ends. */
  get moved(): number {
    return this.#moved
  }

  /** @throws MacaronError `WORKERS_ALIVE`, `SAME_STORE`; StoreError where one of the stores fails at the beginning, or once it is told to stop. */
  async run(): Promise<Moved> {
    const { from } = this.#options
    const workers = await from.workers()
    if (workers.length > 0) throw workersAlive(workers)
    if (await this.#isOneStore()) throw sameStore()
    const lost = await this.#moveAll().catch((error) => {
      if (!this.#stopping.signal.aborted) throw error
      // What it was waiting for was told.
      return 0
    })
    const { queued, scheduled, running, parked } = await this.#here.untilDone(() => from.counts())
    return { moved: this.#moved, lost, left: queued + scheduled + running, parked }
  }

  /** What is not moved yet stays where it is. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#forwarder.stop()
    this.#empty.resolve()
  }

  /** Resolves with how many are lost. */
  async #moveAll(): Promise<number> {
    // What was taken from there once, and is not deleted yet, would count as stored.
    await this.#there.untilDone(() => this.#options.to.purge({}))
    await this.#moveScheduled()
    this.#forwarder.begin()
    await this.#empty.promise
    return await this.#takeLost()
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
      await this.#there.untilDone(async () => {
        const answers = await this.#movePage(left)
        left = left.filter((_record, index) => isFailure(answers[index]))
        const failure = failureIn(answers)
        if (failure !== undefined) throw failure
      })
    }
  }

  /** What is stored there is taken out at once, and not offered again: there it may run, be deleted, and then count as new. */
  async #movePage(page: readonly TaskRecord[]): Promise<readonly EnqueueAnswer[]> {
    // One that is to be tried again is due later than it was fired for.
    const batch = page.map(({ message, runAt }) => ({ ...message, runAt }))
    const answers = await answersOf(batch, (all) => this.#options.to.enqueue(all))
    await this.#takeOut(batch.filter((_message, index) => answers[index]?.stored))
    return answers
  }

  /** One that has gone already was taken out by a try whose answer was lost. */
  async #takeOut(moved: readonly TaskMessage[]): Promise<void> {
    let left = moved
    await this.#here.untilDone(async () => {
      const ends = await Promise.allSettled(left.map(({ id }) => this.#options.from.remove(id)))
      const failed = left.filter((_message, index) => ends[index]?.status === 'rejected')
      if (failed.length < left.length) this.#count(left.length - failed.length)
      left = failed
      const failure = ends.find((end) => end.status === 'rejected')
      if (failure !== undefined) throw failure.reason
    })
  }

  /** What an earlier move had in hand when it was killed is parked as lost where it must not start twice; where the other store has it, it was moved. */
  async #takeLost(): Promise<number> {
    const { to } = this.#options
    let lost = 0
    for await (const page of this.#pagesOf('parked'))
      for (const { message, reason } of page) {
        if (reason !== 'lost') continue
        if ((await this.#there.untilDone(() => to.find(message.id))) === undefined) lost++
        else await this.#takeOut([message])
      }
    return lost
  }

  /** All in one state, until it is told to stop. */
  async *#pagesOf(state: TaskState): AsyncGenerator<readonly TaskRecord[]> {
    let before = {}
    for (;;) {
      const filter = { state, limit: pageSize, ...before }
      const page = await this.#here.untilDone(() => this.#options.from.list(filter))
      const last = page.at(-1)
      if (last === undefined || this.#stopping.signal.aborted) return
      yield page
      before = { before: last.message.id }
    }
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

function workersAlive(all: readonly WorkerInfo[]): MacaronError {
  const workers = all.filter(({ forwards }) => forwards !== true)
  const [forwarder] = all.filter(({ forwards }) => forwards === true)
  return new MacaronError(
    'WORKERS_ALIVE',
    workers.length === 0 && forwarder !== undefined ? oneForwards(forwarder) : someRun(workers.length),
  )
}

function someRun(count: number): string {
  return `${count === 1 ? 'A worker runs' : `${count} workers run`} tasks of the store that is to be emptied: they could run what has been moved already. Stop them first (servers may go on).`
}

/** Of several that do, the next is told of when this one has gone. */
function oneForwards({ pid, host }: WorkerInfo): string {
  return `Process ${pid} on ${host} takes the tasks of the store that is to be emptied to another one. It is a server or worker that forwards its spool, or another move: stop it first.`
}
