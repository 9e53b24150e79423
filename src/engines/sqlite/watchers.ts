import type { TaskRecord } from '../engine.ts'
import { fingerprint } from '../fingerprint.ts'
import { closed } from './failures.ts'
import { findTask } from './lookup.ts'
import type { Reader } from './reader.ts'

const lookEveryMs = 20

/** Tells who watches a task when it has changed. One look at the store serves all, and nobody looks while nobody watches. */
export class Watchers {
  readonly #reader: Reader
  readonly #watches = new Set<Watch>()
  #looking: NodeJS.Timeout | undefined
  #version: string | undefined
  #closed = false

  constructor(reader: Reader) {
    this.#reader = reader
  }

  /** Calls `listener` with the task as it stands, soon, and after each change, until the returned function is called. @throws StoreError `STORE_CLOSED`. */
  watch(id: string, listener: Listener): () => void {
    if (this.#closed) throw closed()
    const watch: Watch = { id, listener, seen: 'nothing yet' }
    this.#watches.add(watch)
    this.#looking ??= setInterval(() => this.#look(), lookEveryMs)
    queueMicrotask(() => this.#tell(watch))
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
    const seen = await this.#find(watch.id)
    if (seen === undefined || !this.#watches.has(watch)) return
    const state = fingerprint(seen.task)
    if (state === watch.seen) return
    watch.seen = state
    watch.listener(seen.task)
  }

  /** Undefined where the store can't be read now; the next look tries again. */
  async #find(id: string): Promise<{ readonly task: TaskRecord | undefined } | undefined> {
    try {
      return { task: await this.#reader.read((sql) => findTask(sql, id)) }
    } catch {
      this.#version = undefined
      return undefined
    }
  }
}

type Listener = (task: TaskRecord | undefined) => void

interface Watch {
  readonly id: string
  readonly listener: Listener
  seen: string
}
