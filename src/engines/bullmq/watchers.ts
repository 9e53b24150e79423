import type { TaskRecord } from '../engine.ts'
import { fingerprint } from '../fingerprint.ts'
import { closed } from './failures.ts'
import { readTasks } from './lookup.ts'
import type { Store } from './store.ts'

const lookEveryMs = 25

type Listener = (task: TaskRecord | undefined) => void

interface Watch {
  readonly id: string
  readonly listener: Listener
  seen: string
}

/** Tells who watches a task when it has changed. One look at all of them at a time, and none while nobody watches. */
export class Watchers {
  readonly #store: Store
  readonly #watches = new Set<Watch>()
  #looking: NodeJS.Timeout | undefined
  #isReading = false
  #closed = false

  constructor(store: Store) {
    this.#store = store
  }

  /** Calls `listener` with the task as it stands, soon, and after each change, until the returned function is called. @throws StoreError `STORE_CLOSED`. */
  watch(id: string, listener: Listener): () => void {
    if (this.#closed) throw closed()
    const watch: Watch = { id, listener, seen: 'nothing yet' }
    this.#watches.add(watch)
    this.#looking ??= setInterval(() => void this.#look(), lookEveryMs)
    return () => this.#forget(watch)
  }

  close(): void {
    this.#closed = true
    for (const watch of this.#watches) this.#forget(watch)
  }

  #forget(watch: Watch): void {
    this.#watches.delete(watch)
    if (this.#watches.size > 0) return
    clearInterval(this.#looking)
    this.#looking = undefined
  }

  async #look(): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    const watches = [...this.#watches]
    try {
      const tasks = await readTasks(this.#store, [...new Set(watches.map(({ id }) => id))])
      const byId = new Map(tasks.map((task) => [task.message.id, task]))
      for (const watch of watches) this.#tell(watch, byId.get(watch.id))
    } catch {
      // A store that can't be read now has nothing to tell; the next look tries again.
    } finally {
      this.#isReading = false
    }
  }

  #tell(watch: Watch, task: TaskRecord | undefined): void {
    const state = fingerprint(task)
    if (state === watch.seen || !this.#watches.has(watch)) return
    watch.seen = state
    watch.listener(task)
  }
}
