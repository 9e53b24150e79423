import type { Lease } from '../engines/engine.ts'
import { monotonicMs } from './clock.ts'
import type { ExecutorHandle } from './executor-handle.ts'
import type { Pool } from './pool.ts'

/**
 * Looks after busy executors every 50 ms: takes back what a blocked one can't have begun, reports what blocks, replaces one that is lost. Stands still while
 * nothing is in hand.
 */
export class Watch {
  readonly #pool: Pick<Pool, 'handles' | 'giveUp'>
  readonly #handOut: (leases: readonly Lease[]) => void
  #timer: NodeJS.Timeout | undefined
  #dueAt = 0

  constructor(pool: Pick<Pool, 'handles' | 'giveUp'>, handOut: (leases: readonly Lease[]) => void) {
    this.#pool = pool
    this.#handOut = handOut
  }

  /** To be called when an executor was given something. */
  wake(): void {
    if (this.#timer !== undefined) return
    this.#dueAt = monotonicMs() + intervalMs
    this.#timer = setTimeout(() => this.#look(), intervalMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #look(): void {
    this.#timer = undefined
    const now = monotonicMs()
    const handles = [...this.#pool.handles]
    const overdue = handles.flatMap((handle) => handle.takeBackOverdue(now))
    if (overdue.length > 0) this.#handOut(overdue)
    // When this process was held up itself, what executors have said meanwhile is not read yet.
    if (now - this.#dueAt < intervalMs) this.#judgeSilence(handles, now)
    if (handles.some((handle) => handle.isWatched)) this.wake()
  }

  #judgeSilence(handles: readonly ExecutorHandle[], now: number): void {
    for (const handle of handles) {
      handle.reportBlocked(now)
      if (handle.isLost(now)) this.#pool.giveUp(handle)
    }
  }
}

const intervalMs = 50
