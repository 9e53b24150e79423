import { MacaronError } from './errors.ts'
import { show } from './show.ts'

/** A length of time: milliseconds as a number, or text with a unit: `'250ms'`, `'30s'`, `'5m'`, `'2h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** What a duration must be, for the middle of a message. */
export function durationForm(most = '100 years'): string {
  return `milliseconds (a number from 0) or text such as '500ms', '30s', '5m', '2h' or '7d', at most ${most}`
}

/**
 * The milliseconds of a duration, a whole number.
 * @throws MacaronError `BAD_DURATION` for a negative, too long or unreadable one; `what` names the option in the message.
 */
export function milliseconds(duration: unknown, what: string): number {
  const ms = readDuration(duration)
  if (ms !== undefined) return ms
  throw new MacaronError('BAD_DURATION', `${what} must be ${durationForm()}, not ${show(duration)}`)
}

/** The milliseconds of a duration, or undefined for what is none. */
export function readDuration(duration: unknown): number | undefined {
  const ms = typeof duration === 'string' ? fromText(duration) : duration
  if (typeof ms !== 'number' || !(ms >= 0 && ms <= longest)) return undefined
  return Math.round(ms)
}

/** 100 years: with every such time added, ms since epoch stays a whole number that stores and clocks can hold. */
const longest = 36_500 * 86_400_000

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function fromText(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text.trim()) ?? []
  const factor = unit === undefined ? undefined : unitMs[unit]
  return amount === undefined || factor === undefined ? undefined : Number(amount) * factor
}
