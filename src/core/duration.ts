import { MacaronError } from './errors.ts'

/** A length of time: milliseconds as a number, or text with a unit: `'250ms'`, `'30s'`, `'5m'`, `'2h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * The milliseconds of a duration.
 * @throws MacaronError `BAD_DURATION` for a negative, infinite or unreadable one; `what` names the option in the message.
 */
export function milliseconds(duration: unknown, what: string): number {
  const ms = typeof duration === 'number' ? duration : fromText(duration)
  if (ms === undefined || !Number.isFinite(ms) || ms < 0) {
    throw new MacaronError(
      'BAD_DURATION',
      `${what} must be milliseconds (a number ≥ 0) or text such as '500ms', '30s', '5m', '2h' or '7d', not ${JSON.stringify(duration)}`,
    )
  }
  return Math.round(ms)
}

function fromText(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text.trim())
  const [, amount, unit] = match ?? []
  const factor = unit === undefined ? undefined : unitMs[unit]
  return amount === undefined || factor === undefined ? undefined : Number(amount) * factor
}
