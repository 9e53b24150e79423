import { MacaronError, StoreError } from '../core/errors.ts'
import type { AnyTask } from './fired.ts'

/** Which runs of tasks go wrong, and how. Everything counts from the next run on, in the order in which it was asked for. */
export interface Faults {
  /** A process dies while it has a task in hand. What becomes of the task is decided by the code that decides it in production. */
  crash(plan: CrashPlan): void
  /**
   * The task is handed out again although its first run goes on (as when a worker seems dead and isn't): it runs twice, and what the first run comes to is not
   * recorded, its children included.
   */
  deliverTwice(plan?: DeliveryPlan): void
  /** The store takes nothing: requests that fire get 503 `TASKS_UNAVAILABLE`, `fire.now` throws. */
  refuseStore(plan?: RefusalPlan): void
  /** The store answers only when it is released: what a slow disk does, for as long as the test likes. */
  holdStore(): HeldStore
}

export interface DeliveryPlan {
  /** Only runs of this task. Default any. */
  readonly task?: AnyTask
  /** How many runs. Default 1. */
  readonly times?: number
}

export interface CrashPlan extends DeliveryPlan {
  /**
   * `claimed`: the worker has it, and nothing of it was begun. `begun`: an executor has begun it, though none of its lines has run. `ran`: the function has
   * returned, and its outcome was not recorded yet.
   */
  readonly after: 'claimed' | 'begun' | 'ran'
  /** `executor` (default): the process that runs tasks. `worker`: the one that claims them, and its executors with it, as when a container is killed. */
  readonly process?: 'executor' | 'worker'
}

export interface RefusalPlan {
  /** How many writes; concurrent requests share one. Default 1. */
  readonly times?: number
  /** The code of the StoreError. Default `STORE_FULL`. */
  readonly code?: string
  /** The tasks are stored all the same, and only the answer is lost. Default false. */
  readonly stores?: boolean
}

/** A store that does not answer. Also released by `using`. */
export interface HeldStore extends Disposable {
  release(): void
}

/** What goes wrong with one run. */
export type RunFault =
  | { readonly kind: 'crash'; readonly after: CrashPlan['after']; readonly process: 'executor' | 'worker' }
  | { readonly kind: 'twice' }

/** The plan of what goes wrong, used up as it does. */
export class FaultPlan implements Faults {
  readonly #runs: Planned<RunFault>[] = []
  readonly #refusals: Planned<Required<Pick<RefusalPlan, 'code' | 'stores'>>>[] = []
  #held: Promise<void> | undefined

  crash({ after, process = 'executor', ...plan }: CrashPlan): void {
    this.#plan({ kind: 'crash', after, process }, plan)
  }

  deliverTwice(plan: DeliveryPlan = {}): void {
    this.#plan({ kind: 'twice' }, plan)
  }

  refuseStore({ times = 1, code = 'STORE_FULL', stores = false }: RefusalPlan = {}): void {
    this.#refusals.push({ name: undefined, left: checkTimes(times), what: { code, stores } })
  }

  holdStore(): HeldStore {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held = promise
    const release = () => {
      if (this.#held === promise) this.#held = undefined
      resolve()
    }
    return { release, [Symbol.dispose]: release }
  }

  /** What goes wrong with the run of a task that begins now. */
  forRun(name: string): RunFault | undefined {
    return take(this.#runs, (planned) => planned.name === undefined || planned.name === name)
  }

  /** Does a write the way the plan says. @throws StoreError where it is refused. */
  async write<T>(store: () => Promise<T>): Promise<T> {
    await this.#held
    const refusal = take(this.#refusals, () => true)
    if (refusal === undefined) return await store()
    if (refusal.stores) await store()
    throw new StoreError(refusal.code, 'The test has asked the store to refuse this write')
  }

  #plan(what: RunFault, { task, times = 1 }: DeliveryPlan): void {
    this.#runs.push({ name: task?.taskName, left: checkTimes(times), what })
  }
}

interface Planned<What> {
  /** Of the task; undefined: any. */
  readonly name: string | undefined
  left: number
  readonly what: What
}

function take<What>(plans: Planned<What>[], fits: (planned: Planned<What>) => boolean): What | undefined {
  const planned = plans.find(fits)
  if (planned === undefined) return undefined
  planned.left--
  if (planned.left === 0) plans.splice(plans.indexOf(planned), 1)
  return planned.what
}

function checkTimes(times: number): number {
  if (Number.isSafeInteger(times) && times > 0) return times
  throw new MacaronError('BAD_FAULT', `times must be a whole number from 1, not ${times}`)
}
