import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ParkReason } from '../../tasks/states.ts'
import type { Consumer } from '../engine.ts'
import type { Glance } from '../fingerprint.ts'
import { Known } from '../known.ts'
import { LookAgain } from '../look-again.ts'
import type { Rounds } from '../rounds.ts'
import { slicesOf } from '../slices.ts'
import { purgeExpired, sliceSize, trimSettled, unparkTask } from './actions.ts'
import { glanceAt, readsAtOnce, readTasks, tidy } from './lookup.ts'
import { dropNoted, entriesOf, only } from './notes.ts'
import type { Store } from './store.ts'
import { Turn } from './turn.ts'

export interface UpkeepOptions {
  readonly store: Store
  readonly consumer: Pick<Consumer, 'names' | 'keys' | 'slots'>
  /** Told that so many tasks are put back, at the head of the queue. */
  readonly onReturned: (count: number) => void
}

/** Most settled tasks that are kept. */
const keptTasks = 1_000_000
/** How far the clocks of machines may be apart for a task that another one has parked to be seen at the next look; otherwise at the next of all. */
const clocksApartMs = 10_000
const unparkAllEveryMs = 600_000
/** What is put back is asked for in one step. */
const mostAtOnce = 100
/** Between two looks of a worker that has room. */
const restMs = 50

/** What a consuming worker does beside consuming, in small steps, between which the loop turns. */
export class Upkeep {
  readonly #options: UpkeepOptions
  readonly #rounds: Rounds
  readonly #turn: Turn
  /** Known at the last look that has come through. */
  #known = new Known()
  #lookedAtAll = 0
  /** Those that were parked after this time, by the service's clock, have not been looked at. */
  #lookedUntil = 0
  #look: () => void = () => undefined
  readonly #again = new LookAgain(() => this.#look())

  constructor(options: UpkeepOptions, rounds: Rounds) {
    this.#options = options
    this.#rounds = rounds
    this.#turn = new Turn(options.store)
  }

  /** Nobody waits for the first look: there may be thousands to look at, and the network slow. */
  begin(): void {
    this.#rounds.every(1_000, () => this.#deleteOld())
    this.#look = this.#rounds.every(1_000, () => this.#lookForKnown())
    this.#look()
  }

  /** To be told when there is room, and nothing that waits. */
  idle(): void {
    this.#again.idle()
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
    const known = new Known(this.#options.consumer)
    const room = Math.min(this.#options.consumer.slots().ordinary, mostAtOnce)
    // While no executor is there none knows anything.
    if (known.isNothing || room <= 0) return
    const now = performance.now()
    const isAll = known.isMoreThan(this.#known) || now > this.#lookedAtAll + unparkAllEveryMs
    if (isAll) await this.#unpark(known, room, 0)
    else if (this.#again.isDue) await this.#unpark(known, room, this.#lookedUntil - clocksApartMs)
    if (isAll) this.#lookedAtAll = now
  }

  /**
   * Puts back the tasks that were parked because a worker lacked their name or key, where this one has them: as many as it has room for, and asks for them in the same breath. An older
   * worker that is idle would take all others, and park them again. Tidies the list of them, too. What it notes, it notes at the end: a look that fails is made again.
   */
  async #unpark(known: Known, room: number, since: number): Promise<void> {
    const { store } = this.#options
    const until = store.now()
    let found = 0
    const lookedUntil = await this.#throughParked({ since, until }, async (entries) => {
      const ids = [...entries.keys()]
      const tasks = await glanceAt(store, ids)
      const runnable = await this.#runnable(tasks, known, room - found)
      const meant = runnable.slice(0, room - found)
      const moved = await this.#putBack(meant)
      await dropNoted(store, { parked: only(entries, meant), cancelled: none })
      found += meant.length
      const gone = moved.length + (await this.#dropStale(ids, tasks))
      return meant.length < runnable.length ? undefined : gone
    })
    this.#known = known
    this.#lookedUntil = lookedUntil
    this.#again.looked(found > 0, restMs)
  }

  /** The first goes last, so that it is next in line. Who asks for them is on his way before any other hears of them. */
  async #putBack(ids: readonly string[]): Promise<readonly boolean[]> {
    if (ids.length === 0) return []
    const moves = Promise.all(ids.toReversed().map((id) => unparkTask(this.#options.store, id)))
    // When what asks for that has run up to its sending.
    process.nextTick(this.#options.onReturned, ids.length)
    return await moves
  }

  /** The ids of those among them that this worker can run, and no more than are needed to know whether there are more than `most`. Only of those with an unknown key more is read than a glance. */
  async #runnable(tasks: readonly Glance[], known: Known, most: number): Promise<readonly string[]> {
    const named = tasks.filter(({ message }) => known.hasName(message.name))
    const those = (wanted: ParkReason) => named.filter(({ reason }) => reason === wanted).map(idOf)
    const opened: string[] = []
    for (const some of slicesOf(those('unknown_key'), readsAtOnce)) {
      if (opened.length > most) break
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

  /**
   * Goes through the tasks that were parked in that time, the oldest first; `work` says how many of a slice it took out, or that it is enough. Resolves with until when
   * all of them were seen.
   */
  async #throughParked(
    { since, until }: { readonly since: number; readonly until: number },
    work: (entries: ReadonlyMap<string, string>) => Promise<number | undefined>,
  ): Promise<number> {
    const { link, own } = this.#options.store
    for (let at = 0; !this.#rounds.isStopped; ) {
      const found = await link.use((client) =>
        client.zrangebyscore(own.parked, since, until, 'WITHSCORES', 'LIMIT', at, sliceSize),
      )
      if (found.length === 0) return until
      const entries = entriesOf(found)
      const gone = await work(entries)
      if (gone === undefined) return Number(found[1])
      at += entries.size - gone
      await nextTurn()
    }
    return since
  }
}

const none: ReadonlyMap<string, string> = new Map()

function idOf({ message }: Glance): string {
  return message.id
}
