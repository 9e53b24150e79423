import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Worker } from 'bullmq'
import { waitAtMost } from '../../core/at-most.ts'
import { asError } from '../../core/errors.ts'
import { emit } from '../../core/events.ts'
import { Trouble } from '../../core/trouble.ts'
import { type AliveLock, holdAlive } from '../../supervisor/alive.ts'
import type { Consumer, Consumption, Lease, Outcome } from '../engine.ts'
import { keepSettledMs, lossError } from '../losses.ts'
import { Rounds } from '../rounds.ts'
import { Claims } from './claims.ts'
import { type Held, Holding, leaseOf, lockMs, renewEveryMs } from './held.ts'
import { prefixOf, queueName } from './keys.ts'
import { renew } from './leases.ts'
import { ParkedTasks } from './parked-tasks.ts'
import { announce, leave } from './presence.ts'
import { Recovery } from './recovery.ts'
import { Settlements } from './settlements.ts'
import type { Store } from './store.ts'
import { deleteOld } from './upkeep.ts'

export interface ConsumptionOptions {
  readonly store: Store
  readonly service: string
  /** The service's `.macaron/`. */
  readonly folder: string
  readonly consumer: Consumer
  /** Told when it has ended. */
  readonly onEnd: () => void
}

const recoverEveryMs = 1_000
const lookEverywhereMs = 2_500
/** How long a stop waits at most for a Redis that does not answer; what that keeps from ending is left. */
const stopWithinMs = { claims: 2_500, outcomes: 5_000, rounds: 1_000 }
/** A full Redis lets tasks be taken and ended, and refuses what every look asks of it. */
const fullForMs = 4 * lookEverywhereMs

/**
 * Starts a worker's consumption. Before its first claim, the tasks of this machine's dead workers are back in the queue; parked ones whose names are known now
 * follow.
 * @throws StoreError where the store can't be used.
 */
export async function startConsumption(options: ConsumptionOptions): Promise<BullmqConsumption> {
  const consumption = new BullmqConsumption(options)
  try {
    await consumption.start()
    return consumption
  } catch (error) {
    await consumption.stop()
    throw error
  }
}

/** A worker's consumption: claims take tasks, settlements record how they ended, rounds renew the leases and look after the store and the dead. */
export class BullmqConsumption implements Consumption {
  readonly owner = `worker-${randomBytes(6).toString('hex')}`
  readonly #options: ConsumptionOptions
  readonly #worker: Worker
  readonly #holding = new Holding(this.owner)
  readonly #claims: Claims
  readonly #settlements: Settlements
  readonly #recovery: Recovery
  readonly #rounds: Rounds
  readonly #parked: ParkedTasks
  readonly #trouble = new Trouble(fullForMs)
  readonly #lock: AliveLock
  readonly #startedAt: number
  #stopListening: (() => void) | undefined
  #ended: Promise<void> | undefined

  constructor(options: ConsumptionOptions) {
    const { store, consumer, folder, service } = options
    const [trouble, holding, owner] = [this.#trouble, this.#holding, this.owner]
    this.#options = options
    this.#startedAt = store.now()
    this.#lock = holdAlive(join(folder, 'alive'), owner)
    this.#worker = makeWorker(store, service, owner)
    const queue = this.#worker.getBackend()
    const settle = (held: Held, outcome: Outcome) => void this.#settleUnrun(held, outcome)
    const sweep = (dead: string) => consumer.sweep(dead)
    this.#recovery = new Recovery({ owner, store, queue, folder, holding, sweep, settle })
    this.#settlements = new Settlements({
      store,
      holding,
      trouble,
      onSettled: () => this.more(),
      onSuspect: () => this.#claims.requestSuspects(),
    })
    this.#rounds = new Rounds((error) => trouble.failed(error))
    this.#parked = new ParkedTasks({ store, consumer, onFound: () => this.more() }, this.#rounds)
    this.#claims = new Claims({
      owner,
      store,
      queue,
      holding,
      consumer,
      trouble,
      settle,
      onDoubt: () => this.#recovery.doubt(),
      parked: this.#parked,
    })
  }

  async start(): Promise<void> {
    const { store } = this.#options
    await announce(store, this.owner, this.#startedAt)
    this.#rounds.every(renewEveryMs, () => this.#renew())
    await this.#recovery.look()
    deleteOld(store, this.#rounds)
    this.#parked.begin()
    this.#stopListening = store.link.onReturn(() => this.#rounds.now(() => this.#renew()))
    this.#rounds.every(recoverEveryMs, () => this.#moreIf(this.#recovery.look()))
    this.#rounds.every(lookEverywhereMs, () => this.#moreIf(this.#recovery.lookEverywhere()))
    this.#claims.begin()
  }

  more(): void {
    this.#claims.request()
  }

  settle(lease: Lease, outcome: Outcome): Promise<'settled' | 'lost'> {
    return this.#settlements.settle(lease, outcome)
  }

  pause(): Promise<void> {
    return this.#claims.pause()
  }

  stop(): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  async #end(): Promise<void> {
    const { onEnd } = this.#options
    await waitAtMost(stopWithinMs.claims, this.#claims.pause())
    for (const held of this.#holding.all()) this.#giveUp(held)
    await this.#settlements.end(stopWithinMs.outcomes)
    this.#stopListening?.()
    await waitAtMost(
      stopWithinMs.rounds,
      this.#leave().catch(() => undefined),
    )
    // At once: it only waits.
    await this.#worker.close(true).catch(() => undefined)
    this.#release()
    onEnd()
  }

  /** Where that fails it counts as alive for some seconds more, and what it has taken without being told comes back when its lock has run out. */
  async #leave(): Promise<void> {
    await this.#rounds.stop()
    try {
      await this.#recovery.giveBackStrays()
    } finally {
      await leave(this.#options.store, this.owner)
    }
  }

  /** As if it had not been taken, unless it must not start twice: it may have started. */
  #giveUp(held: Held): void {
    if (this.#settlements.isSettling(held.token)) return
    const { atMostOnce } = held.message
    const error = lossError('lost')
    const expiresAt = this.#options.store.now() + keepSettledMs
    const outcome: Outcome = atMostOnce
      ? { kind: 'parked', reason: 'lost', error, expiresAt }
      : { kind: 'returned' }
    void this.#settleUnrun(held, outcome)
  }

  /** What isn't the outcome of an attempt. */
  async #settleUnrun(held: Held, outcome: Outcome): Promise<void> {
    const { id: taskId, name } = held.message
    const answer = await this.settle(leaseOf(held, false), outcome)
    if (outcome.kind === 'parked' && answer === 'settled')
      emit('task.parked', { taskId, name, reason: outcome.reason, message: outcome.error.message })
  }

  /** The leases first: nothing matters more. */
  async #renew(): Promise<void> {
    const { store } = this.#options
    try {
      await store.link.within(renewEveryMs, renew(store, this.#holding.all()))
    } finally {
      await announce(store, this.owner, this.#startedAt)
    }
    this.#trouble.worked()
  }

  async #moreIf(returned: Promise<number>): Promise<void> {
    if ((await returned) > 0) this.more()
  }

  /** Where its files can't be removed, the end of the process frees it. */
  #release(): void {
    try {
      this.#lock.release()
    } catch (error) {
      this.#trouble.failed(error)
    }
  }
}

/** BullMQ's worker, which runs nothing by itself: it knows our terms, and has a connection to wait on. */
function makeWorker(store: Store, service: string, owner: string): Worker {
  const worker = new Worker(queueName, null, {
    connection: store.link.client,
    prefix: prefixOf(service),
    name: owner,
    autorun: false,
    skipVersionCheck: true,
    lockDuration: lockMs,
    // A little less than the time between our looks, so that none finds that the last one still counts.
    stalledInterval: lookEverywhereMs - 100,
    // What that means is ours to decide, when the task is taken again.
    maxStalledCount: Number.MAX_SAFE_INTEGER,
  })
  // Every command rejects with the same error, and tells its caller.
  worker.on('error', (error) => void asError(error))
  return worker
}
