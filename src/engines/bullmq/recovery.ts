import { join } from 'node:path'
import type { IQueueBackend } from 'bullmq'
import { codeOf } from '../../core/errors.ts'
import { emit } from '../../core/events.ts'
import { holders, isAlive, removeTraces } from '../../supervisor/alive.ts'
import type { Consumer, Outcome } from '../engine.ts'
import { slicesOf } from '../slices.ts'
import { type Held, type Holding, lockMs } from './held.ts'
import { noMessage, nothingYet } from './job.ts'
import { orLost } from './outcome.ts'
import { heldTasks, leave } from './presence.ts'
import { probe } from './probe.ts'
import type { Store } from './store.ts'
import { isReadable, refusal } from './taking.ts'

export interface RecoveryOptions {
  /** This worker. */
  readonly owner: string
  readonly store: Store
  /** BullMQ's worker, with our terms. */
  readonly queue: IQueueBackend
  /** The service's `.macaron/`. */
  readonly folder: string
  readonly holding: Holding
  readonly sweep: Consumer['sweep']
  /** Records what becomes of a task that is not to be run. */
  settle(held: Held, outcome: Outcome): void
}

/** How long after its return nobody's leases are taken for lost. */
const settlingMs = 10_000
/** However often it comes back. */
const longestSettlingMs = 30_000
/** A look that comes late is kept from looking, and so is whoever else has sent one at the same time. */
const lateMs = 1_000
/** How many tasks of a dead worker are given back side by side: over a slow network each takes its time. */
const givenTogether = 100

/**
 * Gives back what dead workers hold. Those of this machine are told by their locks, as soon as all they left running has ended; those of others by
 * BullMQ, when the locks of their tasks have run out.
 */
export class Recovery {
  readonly #options: RecoveryOptions
  readonly #alive: string
  readonly #underWay = new Set<string>()
  #inDoubt = false
  #lookedAt = performance.now()
  #hasFailed = false
  /** Since when Redis does again what it failed at. */
  #worksSince = Number.NEGATIVE_INFINITY

  constructor(options: RecoveryOptions) {
    this.#options = options
    this.#alive = join(options.folder, 'alive')
  }

  /** A claim of this worker was not answered. */
  doubt(): void {
    this.#inDoubt = true
  }

  /** Looks for dead workers of this machine. Resolves with how many tasks are back in the queue. */
  async look(): Promise<number> {
    const owners = holders(this.#alive).flatMap(({ id, parent }) => (parent === undefined ? [id] : []))
    const dead = owners.filter((id) => !this.#underWay.has(id) && !isAlive(this.#alive, id))
    const returned = await Promise.all(dead.map((owner) => this.#recover(owner)))
    return returned.reduce((sum, tasks) => sum + tasks, 0) + (await this.giveBackStrays())
  }

  /** Tasks that this worker has taken without being told, since the connection broke: at no cost, nobody has seen them. */
  async giveBackStrays(): Promise<number> {
    if (!this.#inDoubt) return 0
    this.#inDoubt = false
    try {
      return await this.#giveBack(({ token }) => this.#options.holding.isStray(token), false)
    } catch (error) {
      this.#inDoubt = true
      throw error
    }
  }

  /** Has BullMQ look for locks that have run out; it does so once per interval, whoever asks. */
  async lookEverywhere(): Promise<number> {
    const { store, queue } = this.#options
    // Redis may have been away from all, or full: who lives renews the leases first that have run out meanwhile.
    const backForMs = await this.#backForMs()
    const now = performance.now()
    if (backForMs < settlingMs && now < this.#lookedAt + longestSettlingMs) return 0
    this.#lookedAt = now
    this.#hasFailed = true
    // On one connection, in this order: whatever has held up both, Redis does not look after it before those that live have renewed their leases.
    const [, stalled] = await Promise.all([
      this.#onlyInTime(),
      store.link.use(() => queue.moveStalledJobsToWait()),
    ])
    this.#hasFailed = false
    if (stalled.length > 0) emit('lease.expired', { tasks: stalled })
    return stalled.length
  }

  #onlyInTime(): Promise<unknown> {
    const { store, owner } = this.#options
    const { link, scripts, own, keys } = store
    return link.use(() => scripts.onlyInTime([own.worker(owner), keys.looked], [lateMs]))
  }

  /** For how long Redis is there again and takes writes, in ms. @throws StoreError where it takes none. */
  async #backForMs(): Promise<number> {
    const { store } = this.#options
    if (this.#hasFailed) {
      this.#lookedAt = performance.now()
      await probe(store)
      this.#hasFailed = false
      this.#worksSince = performance.now()
    }
    return Math.min(store.link.backForMs, performance.now() - this.#worksSince)
  }

  async #recover(owner: string): Promise<number> {
    this.#underWay.add(owner)
    try {
      const isSwept = await this.#options.sweep(owner).catch(() => false)
      // Something of it still runs: the next look tries again.
      if (!isSwept) return 0
      const tasks = await this.#giveBack((held) => held.owner === owner, true)
      removeTraces(this.#alive, owner)
      await leave(this.#options.store, owner)
      if (tasks > 0) emit('owner.recovered', { owner, tasks })
      return tasks
    } finally {
      this.#underWay.delete(owner)
    }
  }

  /** True where nobody can read what is stored of the task: it would be taken again and again. */
  async #parkUnreadable(id: string, token: string): Promise<boolean> {
    const { store, holding, settle } = this.#options
    const job = store.keys.job(id)
    const read = await store.link.use((client) =>
      client.hmget(job, 'opts', 'progress', 'parent', 'name', 'atm'),
    )
    const [opts, progress, parent, name, moves] = read.map((field) => field ?? '')
    if (isReadable({ opts: opts ?? '', progress: progress ?? '', parent: parent ?? '' })) return false
    // Its script reads these too.
    await store.link.use((client) => client.hdel(job, 'parent', 'parentKey'))
    const message = noMessage(id, name ?? '')
    const held = { token, number: 0, message, ledger: nothingYet, moves: Number(moves), starts: 0, losses: 0 }
    holding.add(held)
    settle(held, refusal(store.now()))
    return true
  }

  /** `died`: counted, as BullMQ counts locks that have run out. Counted first: who dies in between leaves one more death to count. */
  async #giveBack(isMeant: (held: HeldTask) => boolean, died: boolean): Promise<number> {
    const { store } = this.#options
    // Those taken last come first, and each goes before the one before it: they stand as they stood.
    const meant = (await heldTasks(store)).filter(isMeant)
    let count = 0
    const failures: unknown[] = []
    for (const some of slicesOf(meant, givenTogether)) {
      // On one connection, so each step of them goes in their order.
      const ends = await Promise.allSettled(some.map((held) => this.#giveOneBack(held, died)))
      count += ends.filter((end) => end.status === 'fulfilled' && end.value).length
      failures.push(...ends.flatMap((end): unknown[] => (end.status === 'rejected' ? [end.reason] : [])))
      // What Redis fails at may be one job.
      if (failures.some((error) => codeOf(error) !== 'STORE_FAILED')) break
    }
    if (failures.length > 0) throw failures[0]
    return count
  }

  async #giveOneBack({ id, token }: HeldTask, died: boolean): Promise<boolean> {
    const { link, queue } = this.#options.store
    const giveBack = (own: string) => orLost(link.use(() => queue.moveJobFromActiveToWait(id, own)))
    if (!died) return !(await this.#parkUnreadable(id, token)) && (await giveBack(token))
    const { token: own } = this.#options.holding.ask()
    try {
      return (await this.#takeOver(id, { from: token, own })) && (await giveBack(own))
    } catch (error) {
      // It may be held by that token.
      this.#inDoubt = true
      throw error
    } finally {
      this.#options.holding.answered(own)
    }
  }

  /** From a dead worker: of several that have found it dead one alone counts that. */
  async #takeOver(
    id: string,
    { from, own }: { readonly from: string; readonly own: string },
  ): Promise<boolean> {
    const { link, scripts, keys } = this.#options.store
    const used = [keys.job(id), keys.lock(id)]
    return (await link.use(() => scripts.takeOver(used, [from, own, lockMs]))) === 1
  }
}

type HeldTask = Awaited<ReturnType<typeof heldTasks>>[number]
