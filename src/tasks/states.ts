/**
 * The life of a task: states, the reasons it can be parked for, and the legal moves.
 *
 * ```
 * scheduled ──due──► queued ──claim──► running ─┬─► done
 *     ▲                 ▲                       ├─► failed ───────┐
 *     └───── retry ─────┼───────────────────────┤                 │
 *                       ├── given back, crash ──┤                 │ retry (operator)
 *                       │                       └─► parked ───────┤
 *  scheduled, queued ──cancel──► cancelled ───────────────────────┘──► queued
 * ```
 */

export const taskStates = ['scheduled', 'queued', 'running', 'done', 'failed', 'cancelled', 'parked'] as const
export type TaskState = (typeof taskStates)[number]

export const parkReasons = [
  'unknown_task',
  'undecodable',
  'refused',
  'unknown_key',
  'poison',
  'lost',
] as const
export type ParkReason = (typeof parkReasons)[number]

/** From each state, the states a task can go to. */
export const legalMoves: Readonly<Record<TaskState, readonly TaskState[]>> = {
  scheduled: ['queued', 'cancelled'],
  queued: ['running', 'cancelled'],
  running: ['done', 'failed', 'parked', 'queued', 'scheduled'],
  done: [],
  failed: ['queued'],
  cancelled: ['queued'],
  parked: ['queued'],
}

/** Whether a task in this state will not run again by itself. */
export function isSettled(state: TaskState): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled' || state === 'parked'
}
