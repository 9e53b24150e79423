import { randomUUID } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import type { Site } from './site.ts'

/**
 * A store in this process' memory, for tests: no file, no lock and no thread, and the very same engine. Engines opened on one `file` share it. It
 * lasts until it is closed.
 */
export class MemoryStore {
  /** What `openSqlite` takes in place of a folder. SQLite's memdb is shared by the connections of one process that name the same. */
  readonly file = `file:/macaron-${randomUUID()}?vfs=memdb`
  readonly #site = new MemorySite()
  /** Without any connection the database would be gone. */
  readonly #anchor = new DatabaseSync(this.file)

  constructor() {
    sites.set(this.file, this.#site)
  }

  /** Takes a worker for dead although it has not stopped: as if the kernel had freed its lock. */
  bury(owner: string): void {
    this.#site.removeTraces(owner)
  }

  /** Forgets all of it. Engines on it are closed before. */
  close(): void {
    if (!sites.delete(this.file)) return
    this.#anchor.close()
  }
}

const sites = new Map<string, Site>()

/** The surroundings of a store in memory; undefined for one on disk. */
export function memoryAt(file: string): Site | undefined {
  return sites.get(file)
}

export function isInMemory(file: string): boolean {
  return sites.has(file)
}

/** Who uses a store in memory. */
class MemorySite implements Site {
  readonly outlivesProcess = false
  readonly #alive = new Set<string>()
  readonly #ears = new Set<() => void>()

  hold(id: string) {
    this.#alive.add(id)
    return { id, release: () => this.removeTraces(id) }
  }

  isAlive(owner: string): boolean {
    return this.#alive.has(owner)
  }

  owners(): readonly string[] {
    return [...this.#alive]
  }

  removeTraces(owner: string): void {
    this.#alive.delete(owner)
  }

  bell() {
    const ring = () => {
      for (const hear of this.#ears) hear()
    }
    return { ring, close: () => undefined }
  }

  ear(onRing: () => void) {
    const arm = () => void this.#ears.add(onRing)
    arm()
    return { rearm: arm, close: () => void this.#ears.delete(onRing) }
  }

  log() {
    return { flush: () => Promise.resolve(), close: () => undefined }
  }

  space(): undefined {
    return undefined
  }

  damage() {
    return { isSet: () => false, set: () => undefined, remove: () => undefined }
  }
}
