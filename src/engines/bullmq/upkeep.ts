import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ParkReason } from '../../tasks/states.ts'
import type { Consumer } from '../engine.ts'
import type { Glance } from '../fingerprint.ts'
import { Known } from '../known.ts'
import type { Rounds } from '../rounds.ts'
import { slicesOf } from '../slices.ts'
import { purgeExpired, sliceSize, trimSettled, unparkTask } from './actions.ts'
import { glanceAt, readsAtOnce, readTasks, tidy } from './lookup.ts'
import { dropNoted, entriesOf, only } from './notes.ts'
import type { Store } from './store.ts'
import { Turn } from './turn.ts'

export interface UpkeepOptions {
  readonly store: Store
  readonly consumer: Pick<Consumer, 'names' | 'keys'>
  /** Told when tasks were put back into the queue. */
  readonly onReturned: () => void
}

/** Most settled tasks that are kept. */
const keptTasks = 1_000_000
const unparkEveryMs = 5_000
/** How far the clocks of machines may be apart for a task that another one has parked to be seen at the next look; otherwise at the next of all. */
const clocksApartMs = 10_000
const unparkAllEveryMs = 600_000
/** A look takes in what comes back in so many ms since it began; beyond that it would go round with an idle older worker for as long as this one is full. */
const alsoMs = 500

/** What a consuming worker does beside consuming, in small steps, between which the loop turns. */
export class Upkeep {
  readonly #options: UpkeepOptions
  readonly #rounds: Rounds
  readonly #turn: Turn
  /** Known at the last look that has come through. */
  #known = new Known()
  #lookAt = 0
  #lookedAtAll = 0
  /** Those that were parked after this time, by the service's clock, have not been looked at. */
  #lookedUntil = 0

  constructor(options: UpkeepOptions, rounds: Rounds) {
    this.#options = options
    this.#rounds = rounds
    this.#turn = new Turn(options.store)
  }

  /** Nobody waits for the first look: there may be thousands to look at, and the network slow. */
  begin(): void {
    this.#rounds.every(1_000, () => this.#deleteOld())
    const look = this.#rounds.every(1_000, () => this.#lookForKnown())
    look()
  }

  /** The more workers looked, the more often would each task be looked at. */
  async #deleteOld(): Promise<void> {
    const { store } = this.#options
    const goesOn = async () => {
      await this.#turn.keep()
      return !this.#rounds.isStopped
    }
    if (!(await this.#turn.take())) return
    await purgeExpired(store, goesOn)
    await trimSettled(store, keptTasks, goesOn)
  }

  /**
   * Through all that are parked when the worker learns a name or a key; now and then through those that older workers have parked since. Many workers that went
   * through thousands every few seconds would leave Redis no time for anything else.
   */
  async #lookForKnown(): Promise<void> {
    const now = performance.now()
    const isNew = new Known(this.#options.consumer).isMoreThan(this.#known)
    if (isNew || now > this.#lookedAtAll + unparkAllEveryMs) await this.#unparkAll()
    else if (now > this.#lookAt) await this.#unparkSince(this.#lookedUntil - clocksApartMs)
  }

  async #unparkAll(): Promise<void> {
    const now = performance.now()
    if (await this.#unparkSince(0)) this.#lookedAtAll = now
  }

  /**
   * Puts back the tasks that were parked because a worker lacked their name or key, where this one has them, and tidies the list of them. False while no executor is there to know
   * any. What it notes, it notes when all is looked at: a look that fails is made again. After one that found some the next comes at the next beat: idle older
   * workers may have taken those again.
   */
  async #unparkSince(since: number): Promise<boolean> {
    const { store, consumer, onReturned } = this.#options
    const known = new Known(consumer)
    if (known.isNothing) return false
    const [until, now] = [store.now(), performance.now()]
    let found = 0
    await this.#throughParked({ since, until: until + alsoMs }, async (entries) => {
      const ids = [...entries.keys()]
      const tasks = await glanceAt(store, ids)
      const meant = await this.#runnable(tasks, known)
      const moved = await Promise.all(meant.map((id) => unparkTask(store, id)))
      await dropNoted(store, { parked: only(entries, meant), cancelled: none })
      if (moved.includes(true)) onReturned()
      found += meant.length
      return moved.length + (await this.#dropStale(ids, tasks))
    })
    this.#known = known
    this.#lookedUntil = until
    this.#lookAt = found > 0 ? 0 : now + unparkEveryMs
    return true
  }

  /** The ids of those among them that this worker can run. Only of those with an unknown key more is read than a glance. */
  async #runnable(tasks: readonly Glance[], known: Known): Promise<readonly string[]> {
    const named = tasks.filter(({ message }) => known.hasName(message.name))
    const those = (wanted: ParkReason) => named.filter(({ reason }) => reason === wanted).map(idOf)
    const opened: string[] = []
    for (const some of slicesOf(those('unknown_key'), readsAtOnce)) {
      const read = await readTasks(this.#options.store, some)
      opened.push(...read.filter(({ message }) => known.canOpen(message.context)).map(idOf))
    }
    return [...those('unknown_task'), ...opened]
  }

  /** Entries that a worker's death has left in the list, or somebody else's retry; how many. What runs may be parked just now: it is listed first. */
  async #dropStale(ids: readonly string[], tasks: readonly Glance[]): Promise<number> {
    const listed = new Set(tasks.filter(({ state }) => state === 'parked' || state === 'running').map(idOf))
    const stale = ids.filter((id) => !listed.has(id))
    await tidy(this.#options.store, stale)
    return stale.length
  }

  /** Goes through the tasks that were parked in that time, the oldest first; `work` says how many of a slice it took out. */
  async #throughParked(
    { since, until }: { readonly since: number; readonly until: number },
    work: (entries: ReadonlyMap<string, string>) => Promise<number>,
  ): Promise<void> {
    const { link, own } = this.#options.store
    for (let at = 0; !this.#rounds.isStopped; ) {
      const found = await link.use((client) =>
        client.zrangebyscore(own.parked, since, until, 'WITHSCORES', 'LIMIT', at, sliceSize),
      )
      if (found.length === 0) return
      const entries = entriesOf(found)
      at += entries.size - (await work(entries))
      await nextTurn()
    }
  }
}

const none: ReadonlyMap<string, string> = new Map()

function idOf({ message }: Glance): string {
  return message.id
}
