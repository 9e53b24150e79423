import { AsyncLocalStorage } from 'node:async_hooks'

const clocks = new AsyncLocalStorage<() => number>()

/** The time by which tasks and tokens are dated, ms since epoch: the system's, except in code that runs with a clock of its own. */
export function now(): number {
  const clock = clocks.getStore()
  return clock === undefined ? Date.now() : clock()
}

/** Runs `fn` by another clock than the system's. The test kit does, so that tests need not wait. */
export function withClock<T>(clock: () => number, fn: () => T): T {
  return clocks.run(clock, fn)
}
