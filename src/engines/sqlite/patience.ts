import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { busyTooLong } from './failures.ts'

/**
 * Waiting for a lock that another process holds. SQLite's own wait sleeps in growing steps that are longer than our transactions, and on
 * the calling thread; so it is turned off and its callers wait here, a fraction of a millisecond at a time.
 */

/** An attempt's answer when another connection holds a lock it needs. */
export const busy = Symbol('busy')

/** Longer than a try needs, shorter than a usual transaction. */
export const retryEveryMs = 0.2

const giveUpAfterMs = 5_000
const spinMs = 3

/** Tries until the lock is free, for 5 s since `started` and ever less often; the loop goes on between tries. @throws StoreError `STORE_BUSY`. */
export async function waitYielding<T>(
  attempt: () => T | typeof busy,
  file: string,
  started = performance.now(),
): Promise<T> {
  const first = attempt()
  if (first !== busy) return first
  for (;;) {
    const waited = performance.now() - started
    if (waited > giveUpAfterMs) throw busyTooLong(file)
    if (waited < spinMs) {
      pause(retryEveryMs)
      await nextTurn()
    } else await delay(1)
    const answer = attempt()
    if (answer !== busy) return answer
  }
}

const nobody = new Int32Array(new SharedArrayBuffer(4))

/** Stops this thread for `ms`; fractions count. */
export function pause(ms: number): void {
  Atomics.wait(nobody, 0, 0, ms)
}
