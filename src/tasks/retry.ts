import { asError, codeOf, MessageError } from '../core/errors.ts'
import type { Lease, Outcome } from '../engines/engine.ts'
import type { StoredError, TaskMessage } from './message.ts'
import { type CheckedBackoff, type CheckedOptions, defaultOptions } from './options.ts'

/** What an attempt came to: a result in the codec's form with the tasks it fired, or what it threw. */
export type Ending =
  | { readonly result: string; readonly children: readonly TaskMessage[] }
  | { readonly thrown: unknown }

export interface Decision {
  readonly lease: Pick<Lease, 'failures'>
  readonly options: CheckedOptions
  /** Ms since epoch. */
  readonly now: number
  /** 0…1, for the jitter. */
  readonly chance: number
}

/** How an attempt ended, from what it came to. Pure. */
export function decideOutcome(ending: Ending, { lease, options, now, chance }: Decision): Outcome {
  if (!('thrown' in ending)) return { kind: 'done', ...ending, expiresAt: now + options.keep.done }
  const error = storedError(ending.thrown)
  const expiresAt = now + options.keep.failed
  if (ending.thrown instanceof MessageError)
    return { kind: 'parked', reason: ending.thrown.reason, error, expiresAt: now + parkedMs(options) }
  if (lease.failures >= options.retries) return { kind: 'failed', error, expiresAt }
  return { kind: 'retry', runAt: now + backoffMs(options.backoff, lease.failures, chance), error }
}

/** A parked task waits for somebody to mend something: a short `keep` must not take it away before. */
function parkedMs({ keep }: CheckedOptions): number {
  return Math.max(keep.failed, defaultOptions.keep.failed)
}

/** The wait before the run after failure number `failures + 1`, in ms. */
export function backoffMs(backoff: CheckedBackoff, failures: number, chance: number): number {
  if (backoff.type === 'fixed') return backoff.delay
  // 2^50 ms is beyond any max; more would only lead to infinity.
  const grown = Math.min(backoff.max, backoff.delay * 2 ** Math.min(failures, 50))
  return Math.round(grown * (1 - backoff.jitter * chance))
}

/** What is kept of a thrown value: code, message and stack, cut to a size a list can show. Never throws. */
export function storedError(thrown: unknown): StoredError {
  const error = asError(thrown)
  const code = codeOf(error)
  try {
    return {
      // Readers rely on texts, whatever someone has assigned.
      message: String(error.message).slice(0, 4096),
      ...(code === undefined ? {} : { code: code.slice(0, 128) }),
      ...(typeof error.stack === 'string' ? { stack: error.stack.slice(0, 8192) } : {}),
    }
  } catch {
    return { message: 'An error was thrown that itself throws when it is read' }
  }
}
