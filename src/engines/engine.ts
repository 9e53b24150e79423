import type { StoredError, TaskMessage } from '../tasks/message.ts'
import type { ParkReason, TaskState } from '../tasks/states.ts'

/**
 * The engine contract: where tasks are stored and handed out.
 *
 * An engine keeps messages durably, hands each to one worker at a time under a lease, and records how attempts end. It never
 * looks into arguments or contexts (but for the id of a context's key), runs no user code and decides no outcome. Its verbs are those of a task's life, each once.
 * Every engine passes the suite in `testing/engine-suite.ts`; what it can't do it declares in `abilities`.
 *
 * Every method that touches the store rejects with a StoreError whose code says what is wrong with the store.
 */
export interface Engine {
  readonly abilities: Abilities
  /**
   * Stores messages; resolves when they are durable, with one answer per message in their order. All messages of one call are
   * committed together where `abilities.atomicEnqueue`. Storing an id that is already stored answers `stored` and changes nothing.
   */
  enqueue(batch: readonly TaskMessage[]): Promise<readonly EnqueueAnswer[]>
  /** Starts handing out tasks to this process. One consumption at a time per engine object. */
  consume(consumer: Consumer): Promise<Consumption>
  /** Cancels a scheduled or queued task. */
  cancel(id: string): Promise<ActionAnswer>
  /** Puts a failed, cancelled or parked task back into its queue, to run at once, with its counts at zero. */
  retry(id: string): Promise<ActionAnswer>
  /** Deletes a task that isn't running. */
  remove(id: string): Promise<ActionAnswer>
  /** Deletes settled tasks whose retention has passed, or all settled ones in `states`; resolves with how many. */
  purge(options: { readonly states?: readonly TaskState[] }): Promise<number>
  /** One task, or undefined. */
  find(id: string): Promise<TaskRecord | undefined>
  /** Tasks by filter, newest first, at most `limit` (default 50); `before` continues after the last id of a page. */
  list(filter: ListFilter): Promise<readonly TaskRecord[]>
  /** How many tasks are in each state. */
  counts(): Promise<Readonly<Record<TaskState, number>>>
  /** Calls `listener` with how the task stands now and after each change, until the returned function is called. */
  watch(id: string, listener: TaskListener): () => void
  /** The workers that are alive. */
  workers(): Promise<readonly WorkerInfo[]>
  /** Whether tasks can be stored and, if some wait, whether they move; with plain reasons where not. Never rejects. */
  health(): Promise<EngineHealth>
  /** Ends the connection. Idempotent. What was not answered is not stored, or stored and answered to nobody. */
  close(): Promise<void>
}

/** What differs between engines, as data. */
export interface Abilities {
  /** The engine's name, for logs and lists only. */
  readonly name: string
  /** All messages of one `enqueue` are stored in one commit. */
  readonly atomicEnqueue: boolean
  /** It works on a batch while others are made ready: two of half the size are stored sooner than one. Where a commit costs more than its rows, they are not. */
  readonly overlaps: boolean
  /** Several machines can share it. */
  readonly manyMachines: boolean
}

export type EnqueueAnswer = { readonly stored: true } | { readonly stored: false; readonly error: Error }

/** What an operator's or handle's action found: done, not possible in the task's present state, or no such task. */
export type ActionAnswer =
  | { readonly done: true }
  | { readonly done: false; readonly state: TaskState | undefined }

/** The side that runs what the engine hands out. */
export interface Consumer {
  /** The names this worker's executors know. Parked tasks of these names (`unknown_task`) are put back by the engine. */
  names(): readonly string[]
  /** The ids of the keys they open seals with. Parked tasks of these names that were sealed with one of these keys (`unknown_key`) are put back likewise. */
  keys(): readonly string[]
  /** How many more leases it takes now; the engine never hands out more. */
  slots(): Slots
  /** Takes leases, first those of the lowest `priority` and within one those due for the longest; never before `consume` has resolved. Must not throw. */
  run(leases: readonly Lease[]): void
  /**
   * Called before the tasks of a dead worker of this machine are given back: kills what that worker left running. Tasks are given back only
   * if it answers true.
   */
  sweep(deadOwner: string): Promise<boolean>
  /** It runs nothing, but takes tasks to another store: an engine that can tell does not blame them for its death. */
  readonly forwards?: true
}

/** Room for attempts. Suspects (`Lease.suspect`) only ever take `alone`, everything else only `ordinary`. */
export interface Slots {
  readonly ordinary: number
  readonly alone: number
}

/** A running consumption. */
export interface Consumption {
  /** Names this worker in leases, locks and lists. */
  readonly owner: string
  /** Says that `slots()` has grown. */
  more(): void
  /** Records how an attempt ended, batched; `lost` where the lease was no longer held and nothing was changed. Never rejects: while the store
   * cannot write it keeps trying. */
  settle(lease: Lease, outcome: Outcome): Promise<'settled' | 'lost'>
  /** Stops handing out and resolves when no more leases will come. Leases in hand can still be settled. */
  pause(): Promise<void>
  /**
   * Gives up: records what is pending, gives back every lease still held, and ends, also where the store can't be written (what could not be recorded
   * is answered `lost`, and its task given back later). Tasks that must not start twice are parked as `lost`. Idempotent.
   */
  stop(): Promise<void>
}

/** The right to run one attempt of one task. */
export interface Lease {
  /** Proves the right; changes with every claim. */
  readonly token: string
  readonly message: TaskMessage
  /** 1 for the first run. */
  readonly attempt: number
  /** How many runs before this ended with an error (crashes not counted). */
  readonly failures: number
  /** How many crashes while it ran alone. */
  readonly crashes: number
  /** Was alive in an executor that died: must run alone. */
  readonly suspect: boolean
}

/** How an attempt ended. `expiresAt` (ms since epoch) is when a settled task may be deleted. */
export type Outcome =
  | {
      readonly kind: 'done'
      readonly result: string
      readonly children: readonly TaskMessage[]
      readonly expiresAt: number
    }
  /** To run again at `runAt`; counts as an attempt and a failure. */
  | { readonly kind: 'retry'; readonly runAt: number; readonly error: StoredError }
  | { readonly kind: 'failed'; readonly error: StoredError; readonly expiresAt: number }
  /** Kept aside. `poison` and `lost` count as an attempt, `poison` as one more crash; for the other reasons it has not run. */
  | {
      readonly kind: 'parked'
      readonly reason: ParkReason
      readonly error: StoredError
      readonly expiresAt: number
    }
  /** Its executor died: back to the queue at once, to run alone; `crashes` is the new count. Counts as an attempt, not as a failure. */
  | { readonly kind: 'crashed'; readonly crashes: number; readonly error: StoredError }
  /** Was not run, or was interrupted by a stop: back to the queue as if it had not been taken; with `alone`, as a suspect. */
  | { readonly kind: 'returned'; readonly alone?: true }

/** How a task stands in the store, without what it was fired with, which may be large. Times are ms since epoch. */
export interface TaskStanding {
  readonly message: Pick<TaskMessage, 'id' | 'name'>
  readonly state: TaskState
  readonly reason: ParkReason | undefined
  /** Runs that have ended, crashes included, given-back ones not. */
  readonly attempts: number
  readonly crashes: number
  readonly startedAt: number | undefined
  readonly settledAt: number | undefined
  /** The codec's form of the result, when done. */
  readonly result: string | undefined
  readonly error: StoredError | undefined
  /** The worker that holds it, when running. */
  readonly owner: string | undefined
}

/** A task as it stands in the store. */
export interface TaskRecord extends TaskStanding {
  readonly message: TaskMessage
  /** Not before. */
  readonly runAt: number
}

/** Told how a watched task stands; undefined where there is none. */
export type TaskListener = (task: TaskStanding | undefined) => void

export interface ListFilter {
  readonly state?: TaskState
  readonly name?: string
  readonly queue?: string
  /** Default 50. */
  readonly limit?: number
  /** Only tasks whose id sorts before this one. */
  readonly before?: string
}

export interface WorkerInfo {
  readonly owner: string
  readonly host: string
  readonly pid: number
  readonly startedAt: number
  readonly running: number
  /** Where it runs nothing: it takes tasks to another store. */
  readonly forwards?: true
}

export interface EngineHealth {
  /** Tasks can be stored, and none waits in vain. */
  readonly ok: boolean
  /** Whether tasks can be stored now. */
  readonly storing: boolean
  /** Plain sentences, empty when ok. */
  readonly reasons: readonly string[]
  /** What will hinder it if nobody sees to it; it may be ok all the same. */
  readonly warnings: readonly string[]
  readonly waiting: number
  readonly running: number
  readonly parked: number
  /** How long the oldest task that could run has waited, in ms; 0 when none waits. */
  readonly oldestWaitMs: number
  readonly workers: number
}
