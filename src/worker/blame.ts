import type { Lease, Outcome } from '../engines/engine.ts'
import type { StoredError } from '../tasks/message.ts'

/** How an executor ended, for the attempts that were begun in it. */
export interface Death {
  /** Was it ended by its worker (a stop), so that its tasks are not to blame? */
  readonly asked: boolean
  readonly error: StoredError
  /** When a parked task may be deleted, ms since epoch. */
  readonly expiresAt: number
}

/**
 * What becomes of an attempt that was begun in an executor that has ended. Whoever was there is a suspect and runs again, alone; only who dies alone as a
 * suspect is blamed for it, and parked after the third time. So a poisonous task never takes its neighbours along. Pure.
 */
export function blame({ message, suspect, crashes }: Lease, death: Death): Outcome {
  const { asked, error, expiresAt } = death
  if (message.atMostOnce) return { kind: 'parked', reason: 'lost', error, expiresAt }
  if (asked) return { kind: 'returned' }
  const count = suspect ? crashes + 1 : crashes
  if (count >= mostCrashes) return { kind: 'parked', reason: 'poison', error, expiresAt }
  return { kind: 'crashed', crashes: count, error }
}

const mostCrashes = 3
