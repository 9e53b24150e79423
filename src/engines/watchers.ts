import { setImmediate as nextTurn } from 'node:timers/promises'
import type { TaskListener, TaskStanding } from './engine.ts'
import { fingerprint, type Glance } from './fingerprint.ts'
import { slicesOf } from './slices.ts'

/** Where watchers look. What can't be read now is thrown; the next look tries again. */
export interface Watched {
  /** Is another one where something may have changed; undefined where that can't be told. */
  version(): string | undefined
  /** What there is of these tasks. */
  glanceAt(ids: readonly string[]): Promise<readonly Glance[]>
  /** The same, with what may be large. */
  read(ids: readonly string[]): Promise<readonly TaskStanding[]>
  /** The error for whoever begins to watch too late. */
  closed(): Error
}

const lookEveryMs = 20
/** How many tasks are looked at in one step: a millisecond or two. */
const glancesAtOnce = 200
/** Each may have a result of megabytes. */
const readsAtOnce = 50

/**
 * Tells who watches a task when it has changed. One look at a time serves all, and nobody looks while nobody watches. A look glances at all of them, and
 * reads only those that have changed; the next one begins no sooner than it has taken, so that looking never takes up all the time there is.
 */
export class Watchers {
  readonly #watched: Watched
  readonly #watches = new Set<Watch>()
  #next: NodeJS.Timeout | undefined
  #isLooking = false
  #version: string | undefined
  #closed = false

  constructor(watched: Watched) {
    this.#watched = watched
  }

  /** Calls `listener` with how the task stands, soon, and after each change, until the returned function is called. @throws StoreError `STORE_CLOSED`. */
  watch(id: string, listener: TaskListener): () => void {
    if (this.#closed) throw this.#watched.closed()
    const watch: Watch = { id, listener, seen: undefined }
    this.#watches.add(watch)
    if (!this.#isLooking) this.#next ??= setTimeout(() => void this.#look(), 0)
    return () => this.#forget(watch)
  }

  close(): void {
    this.#closed = true
    for (const watch of this.#watches) this.#forget(watch)
  }

  #forget(watch: Watch): void {
    this.#watches.delete(watch)
    if (this.#watches.size > 0) return
    clearTimeout(this.#next)
    this.#next = undefined
  }

  async #look(): Promise<void> {
    const began = performance.now()
    this.#next = undefined
    this.#isLooking = true
    await this.#lookAtAll().catch(() => {
      // A store that can't be read now has nothing to tell.
      this.#version = undefined
    })
    this.#isLooking = false
    if (this.#watches.size === 0) return
    const pauseMs = Math.max(lookEveryMs, performance.now() - began)
    this.#next = setTimeout(() => void this.#look(), pauseMs)
  }

  async #lookAtAll(): Promise<void> {
    const version = this.#watched.version()
    const isSame = version !== undefined && version === this.#version
    const due = [...this.#watches].filter(({ seen }) => !isSame || seen === undefined)
    this.#version = version
    for (const watches of slicesOf(due, glancesAtOnce)) {
      await this.#glance(watches)
      await nextTurn()
    }
  }

  async #glance(watches: readonly Watch[]): Promise<void> {
    const tasks = byId(await this.#watched.glanceAt(idsOf(watches)))
    const changed = watches.filter(({ id, seen }) => fingerprint(tasks.get(id)) !== seen)
    for (const some of slicesOf(changed, readsAtOnce)) {
      await this.#tell(some)
      await nextTurn()
    }
  }

  async #tell(watches: readonly Watch[]): Promise<void> {
    const tasks = byId(await this.#watched.read(idsOf(watches)))
    for (const watch of watches) {
      const task = tasks.get(watch.id)
      const standing = fingerprint(task)
      if (standing === watch.seen || !this.#watches.has(watch)) continue
      watch.seen = standing
      watch.listener(task)
    }
  }
}

interface Watch {
  readonly id: string
  readonly listener: TaskListener
  /** The fingerprint of what was told last. */
  seen: string | undefined
}

function idsOf(watches: readonly Watch[]): readonly string[] {
  return [...new Set(watches.map(({ id }) => id))]
}

function byId<Task extends Glance>(tasks: readonly Task[]): ReadonlyMap<string, Task> {
  return new Map(tasks.map((task) => [task.message.id, task]))
}
