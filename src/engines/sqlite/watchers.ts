import type { TaskRecord } from '../engine.ts'
import { findTask } from './lookup.ts'
import type { Reader } from './reader.ts'

const lookEveryMs = 20

/** Tells who watches a task when it has changed. One look at the store serves all, and nobody looks while nobody watches. */
export class Watchers {
  readonly #reader: Reader
  readonly #watches = new Set<Watch>()
  #looking: NodeJS.Timeout | undefined
  #version: string | undefined

  constructor(reader: Reader) {
    this.#reader = reader
  }

  /** Calls `listener` with the task as it stands, soon, and after each change, until the returned function is called. */
  watch(id: string, listener: Listener): () => void {
    const watch: Watch = { id, listener, seen: 'nothing yet' }
    this.#watches.add(watch)
    this.#looking ??= setInterval(() => this.#look(), lookEveryMs)
    queueMicrotask(() => this.#tell(watch))
    return () => this.#forget(watch)
  }

  close(): void {
    for (const watch of this.#watches) this.#forget(watch)
  }

  #forget(watch: Watch): void {
    this.#watches.delete(watch)
    if (this.#watches.size > 0) return
    clearInterval(this.#looking)
    this.#looking = undefined
  }

  #look(): void {
    const version = this.#readVersion()
    if (version === undefined || version === this.#version) return
    this.#version = version
    for (const watch of this.#watches) void this.#tell(watch)
  }

  /** A store that can't be read now has nothing to tell; the next look tries again. */
  #readVersion(): string | undefined {
    try {
      return this.#reader.version()
    } catch {
      return undefined
    }
  }

  async #tell(watch: Watch): Promise<void> {
    try {
      const task = await this.#reader.read((sql) => findTask(sql, watch.id))
      const state = fingerprint(task)
      if (state === watch.seen || !this.#watches.has(watch)) return
      watch.seen = state
      watch.listener(task)
    } catch {
      this.#version = undefined
    }
  }
}

type Listener = (task: TaskRecord | undefined) => void

interface Watch {
  readonly id: string
  readonly listener: Listener
  seen: string
}

/** Differs between any two things a watcher would want to tell apart. */
function fingerprint(task: TaskRecord | undefined): string {
  if (task === undefined) return 'absent'
  const { state, reason, attempts, crashes, runAt, startedAt, settledAt, owner } = task
  return [state, reason, attempts, crashes, runAt, startedAt, settledAt, owner].join(' ')
}
