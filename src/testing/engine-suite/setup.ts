import { setTimeout as delay } from 'node:timers/promises'
import { MacaronError } from '../../core/errors.ts'
import type { Consumer, Consumption, Engine, Lease, Outcome, Slots } from '../../engines/engine.ts'
import { newTaskId } from '../../tasks/ids.ts'
import type { TaskMessage } from '../../tasks/message.ts'

/** What the tests of the contract are written with. */

/** A store under test and what to do with it. */
export interface Stage {
  readonly engine: Engine
  /** Another engine on the same store, as another process would have. */
  second(): Promise<Engine>
}

/** The tests of one verb, by name. */
export type Part = Readonly<Record<string, (stage: Stage) => Promise<void>>>

/** A message as fired now; `over` replaces what a test is about. */
export function makeMessage(over: Partial<TaskMessage> = {}): TaskMessage {
  const now = Date.now()
  return {
    id: newTaskId(now),
    name: 'sendEmail',
    queue: 'default',
    priority: 0,
    runAt: 0,
    firedAt: now,
    atMostOnce: false,
    args: '["Welcome!"]',
    options: '{}',
    context: 'sealed',
    ...over,
  }
}

export function makeMessages(count: number, over: Partial<TaskMessage> = {}): readonly TaskMessage[] {
  return Array.from({ length: count }, () => makeMessage(over))
}

/** Stores messages and insists that all of them were. */
export async function store(engine: Engine, ...messages: readonly TaskMessage[]): Promise<void> {
  const answers = await engine.enqueue(messages)
  const refused = answers.find((answer) => !answer.stored)
  if (refused !== undefined && !refused.stored) throw refused.error
}

/** Waits until `condition` gives something other than false or undefined, and returns that. `withinMs`: default 15 s. */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  withinMs = 15_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const value = await condition()
    if (value !== false && value !== undefined && value !== null) return value
    if (performance.now() > deadline) throw new MacaronError('TEST_TIMEOUT', `Waited in vain for: ${what}`)
    await delay(5)
  }
}

export interface WorkerOptions {
  readonly names?: readonly string[]
  readonly keys?: readonly string[]
  /** Room for attempts; what is held takes room until it is settled. Default 100 and 100. */
  readonly room?: Partial<Slots>
  /** Called with each lease as it comes. */
  readonly onLease?: (lease: Lease, worker: TestWorker) => void
}

/** A consumer that notes what it is given and settles when told. */
export class TestWorker implements Consumer {
  /** All leases ever given, in order. */
  readonly leases: Lease[] = []
  readonly #options: WorkerOptions
  readonly #held = new Set<Lease>()
  #consumption: Consumption | undefined

  private constructor(options: WorkerOptions) {
    this.#options = options
  }

  static async start(engine: Engine, options: WorkerOptions = {}): Promise<TestWorker> {
    const worker = new TestWorker(options)
    worker.#consumption = await engine.consume(worker)
    return worker
  }

  get consumption(): Consumption {
    if (this.#consumption === undefined)
      throw new MacaronError('TEST_ORDER', 'A lease came before `consume` had resolved')
    return this.#consumption
  }

  names(): readonly string[] {
    return this.#options.names ?? []
  }

  keys(): readonly string[] {
    return this.#options.keys ?? []
  }

  slots(): Slots {
    const held = [...this.#held]
    const alone = held.filter(({ suspect }) => suspect).length
    const { room = {} } = this.#options
    return {
      ordinary: (room.ordinary ?? 100) - (held.length - alone),
      alone: (room.alone ?? 100) - alone,
    }
  }

  run(leases: readonly Lease[]): void {
    this.leases.push(...leases)
    for (const lease of leases) {
      this.#held.add(lease)
      this.#options.onLease?.(lease, this)
    }
  }

  async sweep(): Promise<boolean> {
    return true
  }

  async settle(lease: Lease, outcome: Outcome): Promise<'settled' | 'lost'> {
    const answer = await this.consumption.settle(lease, outcome)
    this.#held.delete(lease)
    this.consumption.more()
    return answer
  }

  /** The lease given as number `index` (from 0), once it has come. */
  async lease(index = 0): Promise<Lease> {
    return eventually(`lease number ${index}`, () => this.leases[index])
  }
}

const hour = 3_600_000

export const done = (result = 'null', children: readonly TaskMessage[] = []): Outcome => ({
  kind: 'done',
  result,
  children,
  expiresAt: Date.now() + hour,
})

export const failed = (message = 'broken', expiresAt = Date.now() + hour): Outcome => ({
  kind: 'failed',
  error: { message },
  expiresAt,
})

export const parked = (reason: 'unknown_task' | 'unknown_key' | 'poison' | 'refused'): Outcome => ({
  kind: 'parked',
  reason,
  error: { message: reason },
  expiresAt: Date.now() + hour,
})
