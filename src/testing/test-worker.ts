import { setImmediate as nextTurn } from 'node:timers/promises'
import { MacaronError } from '../core/errors.ts'
import type { Consumer, Consumption, Engine, Lease, Outcome, Slots } from '../engines/engine.ts'
import type { TestStore } from './test-store.ts'

export interface TestWorkerOptions {
  readonly store: TestStore
  /** The names of the tasks that it can run. */
  readonly names: () => readonly string[]
  /** The ids of the keys that it opens seals with. */
  readonly keys: () => readonly string[]
}

/** A lease, and the worker that holds it. */
export interface Held {
  readonly lease: Lease
  settle(outcome: Outcome): Promise<'settled' | 'lost'>
}

/** The worker of a service under test: claims one task at a time, when it is told to, and can die and be replaced. */
export class TestWorker {
  readonly #options: TestWorkerOptions
  #life: Life
  #claiming: Promise<unknown> = Promise.resolve()

  private constructor(options: TestWorkerOptions, life: Life) {
    this.#options = options
    this.#life = life
  }

  static async start(options: TestWorkerOptions): Promise<TestWorker> {
    return new TestWorker(options, await Life.begin(options))
  }

  /** The task that a worker of production would take next; undefined where none is due. */
  claim(): Promise<Held | undefined> {
    const claimed = this.#claiming.then(() => this.#life.claim())
    this.#claiming = claimed.catch(() => undefined)
    return claimed
  }

  /**
   * Dies with all it holds. Its successor finds it dead and gives its tasks back. Resolves with the end of what is left of it: until then it can say what its
   * tasks came to, in vain.
   */
  async die(): Promise<() => Promise<void>> {
    const dead = this.#life
    this.#options.store.bury(dead.owner)
    this.#life = await Life.begin(this.#options)
    return () => dead.end()
  }

  /** Gives back what it holds. */
  close(): Promise<void> {
    return this.#life.end()
  }
}

/** One worker from its start to its end. */
class Life implements Consumer {
  readonly #engine: Engine
  readonly #options: TestWorkerOptions
  readonly #leases: Lease[] = []
  #consumption: Consumption | undefined
  #room = 0

  private constructor(engine: Engine, options: TestWorkerOptions) {
    this.#engine = engine
    this.#options = options
  }

  static async begin(options: TestWorkerOptions): Promise<Life> {
    const life = new Life(await options.store.openOther(), options)
    life.#consumption = await life.#engine.consume(life)
    return life
  }

  get owner(): string {
    return this.#running.owner
  }

  get #running(): Consumption {
    if (this.#consumption !== undefined) return this.#consumption
    throw new MacaronError('WORKER_NOT_STARTED', 'This worker was asked for something before it had started')
  }

  names(): readonly string[] {
    return this.#options.names()
  }

  keys(): readonly string[] {
    return this.#options.keys()
  }

  slots(): Slots {
    return { ordinary: this.#room, alone: this.#room }
  }

  run(leases: readonly Lease[]): void {
    this.#room = 0
    this.#leases.push(...leases)
  }

  /** Executors of this process die with their worker. */
  async sweep(): Promise<boolean> {
    return true
  }

  async claim(): Promise<Held | undefined> {
    while (this.#leases.length === 0 && (await this.#isAnyDue())) {
      this.#room = 1
      this.#running.more()
      // In the first turn the engine looks and claims, in the second it may have to claim once more.
      await nextTurn()
      await nextTurn()
    }
    this.#room = 0
    const [lease, ...others] = this.#leases.splice(0)
    // A task that must run alone, and an ordinary one: one of them comes later.
    for (const other of others) await this.#running.settle(other, { kind: 'returned' })
    if (lease === undefined) return undefined
    return { lease, settle: (outcome) => this.#running.settle(lease, outcome) }
  }

  end(): Promise<void> {
    return this.#engine.close()
  }

  async #isAnyDue(): Promise<boolean> {
    const { waiting } = await this.#engine.health()
    return waiting > 0
  }
}
