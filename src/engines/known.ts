import { sealedWith } from '../tasks/seal-keys.ts'
import type { ParkReason } from '../tasks/states.ts'
import type { Consumer } from './engine.ts'

/** The reasons for which a task is parked that another worker may run. */
export const lackingReasons = ['unknown_task', 'unknown_key'] as const satisfies readonly ParkReason[]

/** What a worker's executors know at one moment: decides which parked tasks are put back for them. */
export class Known {
  readonly #names: ReadonlySet<string>
  readonly #keys: ReadonlySet<string>

  constructor(consumer?: Pick<Consumer, 'names' | 'keys'>) {
    this.#names = new Set(consumer?.names())
    this.#keys = new Set(consumer?.keys())
  }

  /** No executor is there to know anything. */
  get isNothing(): boolean {
    return this.#names.size === 0
  }

  /** Whether it knows a name or a key that `before` did not. */
  isMoreThan(before: Known): boolean {
    return hasOther(this.#names, before.#names) || hasOther(this.#keys, before.#keys)
  }

  hasName(name: string): boolean {
    return this.#names.has(name)
  }

  /** Whether it has the key that a context was sealed with. */
  canOpen(context: string): boolean {
    return this.#keys.has(sealedWith(context))
  }
}

function hasOther(some: ReadonlySet<string>, than: ReadonlySet<string>): boolean {
  return [...some].some((one) => !than.has(one))
}
