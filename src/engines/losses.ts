import type { StoredError } from '../tasks/message.ts'

/** What all engines do with tasks whose worker was lost, and with those that they settle themselves. */

/** How long tasks are kept that an engine itself settles: parked, cancelled. */
export const keepSettledMs = 7 * 86_400_000

/** When one may go that was taken to another store: at once, and as if it had never been here, for it has not run and may be brought back. */
export const takenAwayAt = 0

/** A task that was running under this many workers when they died runs alone from then on; under the second number of them, it is parked. */
export const suspectAfter = 3
export const poisonAfter = 10

/** Why a task is parked whose worker was lost. */
export const lossReasons: Readonly<Record<'lost' | 'poison', string>> = {
  lost: 'Its worker ended while it may have been running, and it must not start twice',
  poison: `${poisonAfter} workers have died while it was running`,
}

export function lossError(reason: keyof typeof lossReasons): StoredError {
  return { code: reason.toUpperCase(), message: lossReasons[reason] }
}
