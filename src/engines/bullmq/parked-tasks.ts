import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ParkReason } from '../../tasks/states.ts'
import type { Consumer } from '../engine.ts'
import type { Glance } from '../fingerprint.ts'
import { Known } from '../known.ts'
import { LookAgain } from '../look-again.ts'
import type { Rounds } from '../rounds.ts'
import { slicesOf } from '../slices.ts'
import { sliceSize, unparkTask } from './actions.ts'
import { glanceAt, readsAtOnce, readTasks, tidy } from './lookup.ts'
import { dropNoted, entriesOf } from './notes.ts'
import type { Store } from './store.ts'

export interface ParkedTasksOptions {
  readonly store: Store
  readonly consumer: Pick<Consumer, 'names' | 'keys'>
  /** Told when there are some that this worker can run. */
  readonly onFound: () => void
}

/** How far the clocks of machines may be apart for a task that another one has parked to be seen at the next look; otherwise at the next of all. */
const clocksApartMs = 10_000
const lookAtAllEveryMs = 600_000
/** Most that wait to be put back: a claim takes no more. */
const mostFound = 100

/**
 * The tasks that were parked because a worker lacked their name or key. Those that this worker can run are put back when it has room for them, right before it takes what is next: an
 * older worker that is idle would take what lies in the queue, and park it again.
 */
export class ParkedTasks {
  readonly #options: ParkedTasksOptions
  readonly #rounds: Rounds
  /** Makes a look, unless one is under way. */
  #beginLook: () => void = () => undefined
  readonly #again = new LookAgain(() => this.#beginLook())
  /** Known at the last look that has come through. */
  #known = new Known()
  #lookedAtAll = 0
  /** Those that were parked after this time, by the service's clock, have not been looked at. */
  #lookedUntil = 0
  /** Those that this worker can run, the oldest first. */
  #found: readonly Found[] = []

  constructor(options: ParkedTasksOptions, rounds: Rounds) {
    this.#options = options
    this.#rounds = rounds
  }

  /** Nobody waits for the first look: there may be thousands to look at, and the network slow. */
  begin(): void {
    this.#beginLook = this.#rounds.every(1_000, () => this.#look())
    this.#beginLook()
  }

  /** To be told when there is room, and nothing that waits. */
  idle(): void {
    this.#again.idle()
  }

  /** How many wait to be put back. */
  get count(): number {
    return this.#found.length
  }

  /** Puts back the oldest of them. Resolves when that is on its way, so that it comes before what is sent next. */
  async putBack(most: number): Promise<void> {
    const some = this.#found.slice(0, most)
    this.#found = this.#found.slice(most)
    this.#rounds.now(() => this.#putBack(some))
    // When all that has run up to its sending.
    await new Promise<void>((resolve) => process.nextTick(resolve))
  }

  /** Those without a priority go to the head of the line, so the first of them goes last; the others to the end of their priority. */
  async #putBack(tasks: readonly Found[]): Promise<void> {
    const { store } = this.#options
    const plain = tasks.filter(({ isPlain }) => isPlain)
    const others = tasks.filter(({ isPlain }) => !isPlain)
    await Promise.all([...plain.toReversed(), ...others].map(({ id }) => unparkTask(store, id)))
    const parked = new Map(tasks.map(({ id, score }) => [id, score]))
    await dropNoted(store, { parked, cancelled: none })
  }

  /**
   * Goes through all that are parked when the worker learns a name or a key; now and then through those that older workers have parked since. Many workers that went
   * through thousands every few seconds would leave Redis no time for anything else.
   */
  async #look(): Promise<void> {
    const known = new Known(this.#options.consumer)
    // While no executor is there none knows anything.
    if (known.isNothing || this.count > 0) return
    const now = performance.now()
    const isAll = known.isMoreThan(this.#known) || now > this.#lookedAtAll + lookAtAllEveryMs
    if (isAll) await this.#find(known, 0)
    else if (this.#again.isDue) await this.#find(known, this.#lookedUntil - clocksApartMs)
    if (isAll) this.#lookedAtAll = now
  }

  /** Tidies the list of them, too. What it notes, it notes at the end: a look that fails is made again. */
  async #find(known: Known, since: number): Promise<void> {
    const { store, onFound } = this.#options
    const until = store.now()
    const found: Found[] = []
    const lookedUntil = await this.#throughParked({ since, until }, async (entries) => {
      const ids = [...entries.keys()]
      const tasks = await glanceAt(store, ids)
      const room = mostFound - found.length
      const runnable = await this.#runnable(tasks, known, room)
      found.push(...(await this.#foundOf(runnable.slice(0, room), entries)))
      const stale = await this.#dropStale(ids, tasks)
      return runnable.length > room ? undefined : stale
    })
    this.#known = known
    this.#lookedUntil = lookedUntil
    this.#again.looked(found.map(({ id }) => id))
    // Ids sort by when they were made; many may have been parked in the same millisecond.
    this.#found = found.toSorted((one, other) => (one.id < other.id ? -1 : 1))
    if (found.length > 0) onFound()
  }

  async #foundOf(tasks: readonly Glance[], entries: ReadonlyMap<string, string>): Promise<readonly Found[]> {
    const { link, keys } = this.#options.store
    const reads = tasks.map(({ message }) =>
      link.use((client) => client.hget(keys.job(message.id), 'priority')),
    )
    const priorities = await Promise.all(reads)
    return tasks.map(({ message: { id } }, index) => {
      return { id, score: entries.get(id) ?? '', isPlain: Number(priorities[index] ?? 0) === 0 }
    })
  }

  /** Those among them that this worker can run, and no more than are needed to know whether there are more than `most`. Only of those with an unknown key more is read than a glance. */
  async #runnable(tasks: readonly Glance[], known: Known, most: number): Promise<readonly Glance[]> {
    const named = tasks.filter(({ message }) => known.hasName(message.name))
    const those = (wanted: ParkReason) => named.filter(({ reason }) => reason === wanted)
    const opened: Glance[] = []
    for (const some of slicesOf(those('unknown_key'), readsAtOnce)) {
      if (opened.length > most) break
      const read = await readTasks(this.#options.store, some.map(idOf))
      opened.push(...read.filter(({ message }) => known.canOpen(message.context)))
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

interface Found {
  readonly id: string
  /** Of its entry in the list of parked ones. */
  readonly score: string
  /** It has no priority. */
  readonly isPlain: boolean
}

const none: ReadonlyMap<string, string> = new Map()

function idOf({ message }: Glance): string {
  return message.id
}
