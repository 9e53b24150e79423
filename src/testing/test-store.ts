import type { Engine } from '../engines/engine.ts'
import { openSqlite } from '../engines/sqlite/engine.ts'
import { MemoryStore } from '../engines/sqlite/memory.ts'
import { FaultPlan } from './faults.ts'
import { FiredLog, watchedEngine } from './fired.ts'

/** The empty store of a service under test, with all that is noted of it and all that shall go wrong with it. */
export class TestStore {
  readonly log = new FiredLog()
  readonly faults = new FaultPlan()
  readonly #memory = new MemoryStore()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** The engine that the service fires into. */
  async open(): Promise<Engine> {
    return watchedEngine(await this.openOther(), this)
  }

  /** Another engine on the same store, as another process would have. */
  openOther(): Promise<Engine> {
    return openSqlite({ folder: this.#memory.file, sync: 'normal', role: 'worker', now: this.#now })
  }

  /** Takes a worker for dead although it has not stopped. */
  bury(owner: string): void {
    this.#memory.bury(owner)
  }

  /** Forgets all of it. */
  close(): void {
    this.#memory.close()
  }
}
