import { setTimeout as delay } from 'node:timers/promises'

export interface UntilOptions {
  /** Said in the error when the condition does not come true. */
  readonly what: string
  /** Default 30 s: only a test that fails waits so long, and a machine may be busy. */
  readonly timeoutMs?: number
  /** Default 10 ms. */
  readonly everyMs?: number
}

/** Waits until `condition` gives something other than false, null or undefined, and returns that. The only waiting in the tests. */
export async function until<T>(
  condition: () => T | Promise<T>,
  options: UntilOptions,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + (options.timeoutMs ?? 30_000)
  for (;;) {
    const value = await condition()
    if (value !== false && value !== null && value !== undefined) return value
    if (Date.now() > deadline) throw new Error(`Waited in vain for: ${options.what}`)
    await delay(options.everyMs ?? 10)
  }
}
