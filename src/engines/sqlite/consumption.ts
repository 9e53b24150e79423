import { Trouble } from '../../core/trouble.ts'
import type { AliveLock } from '../../supervisor/alive.ts'
import type { Consumer, Consumption, Lease, Outcome } from '../engine.ts'
import { Rounds } from '../rounds.ts'
import { giveBack, reportParked } from './give-back.ts'
import { Maintenance } from './maintenance.ts'
import { newOwner, ownNumber } from './owners.ts'
import { waitYielding } from './patience.ts'
import { Recovery } from './recovery.ts'
import { type Site, siteOf } from './site.ts'
import type { Store } from './store.ts'
import { Turns } from './turns.ts'

export interface ConsumptionOptions {
  readonly store: Store
  readonly consumer: Consumer
  readonly now: () => number
  /** Most settled tasks that are kept. */
  readonly keptTasks: number
  /** Told when it has ended. */
  readonly onEnd: () => void
}

const lookEveryMs = 100
const recoverEveryMs = 1_000
const stopWithinMs = 5_000
/** What is small goes on where the disk has no room for what is large. */
const fullForMs = 1_000

/**
 * Starts a worker's consumption. Before its first claim, the tasks of dead workers are back in the queue; parked ones that it can run come back with it.
 * @throws StoreError where the store can't be used.
 */
export async function startConsumption(options: ConsumptionOptions): Promise<SqliteConsumption> {
  const consumption = new SqliteConsumption(options)
  try {
    await consumption.start()
    return consumption
  } catch (error) {
    await consumption.stop()
    throw error
  }
}

/** A worker's consumption: its lock says that it lives, its turns record and claim, its rounds look after the store and the dead. */
export class SqliteConsumption implements Consumption {
  readonly owner: string
  readonly #options: ConsumptionOptions
  readonly #site: Site
  readonly #turns: Turns
  readonly #rounds: Rounds
  readonly #recovery: Recovery
  readonly #maintenance: Maintenance
  readonly #ear: ReturnType<Site['ear']>
  readonly #trouble = new Trouble(fullForMs)
  #lock: AliveLock
  #isHomeless = false
  #look: NodeJS.Timeout | undefined
  #changes = 0
  #ended: Promise<void> | undefined

  constructor(options: ConsumptionOptions) {
    const { store, consumer, now, keptTasks } = options
    const trouble = this.#trouble
    this.owner = newOwner(consumer)
    this.#options = options
    this.#site = siteOf(store.file)
    this.#lock = this.#site.hold(this.owner)
    const onWrite = () => this.#tellOfStore()
    const onIdle = () => this.#maintenance.idle()
    this.#turns = new Turns({ owner: this.owner, store, consumer, now, trouble, onWrite, onIdle })
    this.#rounds = new Rounds((error) => trouble.failed(error))
    this.#recovery = new Recovery({
      store,
      site: this.#site,
      sweep: (owner) => consumer.sweep(owner),
      now,
    })
    const upkeep = {
      store,
      now,
      onWrite,
      keptTasks,
      consumer,
      onRunnable: (seqs: readonly number[]) => this.#turns.putBack(seqs),
    }
    this.#maintenance = new Maintenance(upkeep, this.#rounds)
    this.#ear = this.#site.ear(() => this.more())
  }

  async start(): Promise<void> {
    const { store, now } = this.#options
    await waitYielding(
      () => store.tryWrite((transaction) => ownNumber(transaction, this.owner, now()), false),
      store.file,
    )
    await this.#recovery.look()
    await this.#maintenance.findRunnable()
    this.#rounds.every(recoverEveryMs, () => this.#recover())
    this.#look = setInterval(() => this.#lookAround(), lookEveryMs)
    // What keeps a worker process alive that has nothing to do.
    if (!this.#site.outlivesProcess) this.#look.unref()
    this.#turns.begin()
  }

  more(): void {
    this.#turns.request()
  }

  settle(lease: Lease, outcome: Outcome): Promise<'settled' | 'lost'> {
    return this.#turns.settle(lease, outcome)
  }

  pause(): Promise<void> {
    return this.#turns.pause()
  }

  stop(): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  async #end(): Promise<void> {
    clearInterval(this.#look)
    this.#ear.close()
    await this.#rounds.stop()
    await this.#turns.end(stopWithinMs)
    await this.#giveBack().catch(() => {
      // The store can't be written: whoever finds this worker's lock free does it.
    })
    this.#release()
    this.#options.onEnd()
  }

  async #giveBack(): Promise<void> {
    const { store, now } = this.#options
    const at = { now: now(), died: false }
    const given = await waitYielding(
      () =>
        store.tryWrite((transaction) => {
          const own = { id: this.owner, number: ownNumber(transaction, this.owner, at.now) }
          return giveBack(transaction, own, at)
        }, false),
      store.file,
    )
    reportParked(given?.parked ?? [])
    // Other workers can take them at once.
    if (given !== undefined && given.tasks > 0) store.wake()
  }

  /** What works says nothing of what lies elsewhere in a damaged file. */
  #tellOfStore(): void {
    const damage = this.#options.store.damage()
    if (damage === undefined) this.#trouble.worked()
    else this.#trouble.failed(damage)
  }

  async #recover(): Promise<void> {
    if ((await this.#recovery.look()) > 0) this.more()
  }

  /** For what no ring told: other systems' file events, a store that was replaced. */
  #lookAround(): void {
    const { store } = this.#options
    this.#ear.rearm()
    this.#isHomeless ||= store.isReplaced()
    if (this.#isHomeless) this.#moveIn()
    const changes = this.#countChanges()
    if (changes === this.#changes) return
    this.#changes = changes
    this.more()
  }

  #countChanges(): number {
    try {
      return this.#options.store.changes()
    } catch {
      // The turn that follows meets the same failure, and reports it.
      return -1
    }
  }

  /** The folder's files are others than before: the lock that says that this worker lives may be gone with them. */
  #moveIn(): void {
    try {
      this.#lock.release()
      this.#lock = this.#site.hold(this.owner)
      this.#isHomeless = false
    } catch (error) {
      this.#trouble.failed(error)
    }
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
