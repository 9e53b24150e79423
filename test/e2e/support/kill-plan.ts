import type { EventName } from '../../../src/core/events.ts'

/** What kill-at.ts is told through the environment. */
export interface KillPlan {
  /** Where a mark is left for each kill: `<rule>-<turn>`, holding the time (monotonic, ns). */
  readonly folder: string
  readonly seed: number
  readonly rules: readonly KillRule[]
}

export interface KillRule {
  readonly role: 'server' | 'worker' | 'executor'
  readonly event: EventName
  /** At which event of a life, drawn between these two. */
  readonly nth: readonly [least: number, most: number]
  /** How many lives end so. */
  readonly times: number
}

export const killAtVariable = 'MACARON_E2E_KILL_AT'
