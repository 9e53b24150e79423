import { durationForm, readDuration } from '../core/duration.ts'
import { TaskError } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import { show } from '../core/show.ts'
import type { CheckedBackoff, CheckedOptions } from './options.ts'

/** How the value of each task option is read. What does not fit is refused with the option, what it may be, and what was found. */

/** Where a value stands: the task, the option. */
interface Place {
  readonly what: string
  readonly name: string
}

type Reader<T> = (value: unknown, place: Place, base: T) => T

const readers: { readonly [Name in keyof CheckedOptions]: Reader<CheckedOptions[Name]> } = {
  retries: whole(1_000_000),
  backoff: backoffOf,
  queue: queueOf,
  // BullMQ's highest, kept for all engines.
  priority: whole(2_097_151),
  delay: duration,
  keep: keepOf,
  atMostOnce: flag,
}

/** The value of one option, checked. @throws TaskError `BAD_TASK_OPTION`. */
export function readOption<Name extends keyof CheckedOptions>(
  name: Name,
  value: unknown,
  { what, base }: { what: string; base: CheckedOptions },
): CheckedOptions[Name] {
  return readers[name](value, { what, name }, base[name])
}

/** Insists on an object that has none but the known names. @throws TaskError `BAD_TASK_OPTION`. */
export function refuseUnknown(given: unknown, known: readonly string[], place: Place): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw badOption(place, `an object with some of ${known.join(', ')}`, given)
  }
  const unknown = Object.keys(given).find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw new TaskError(
    'BAD_TASK_OPTION',
    `${place.what}: ${place.name} has no ${show(unknown)}.${didYouMean(unknown, known)} Known are ${known.join(', ')}.`,
  )
}

/** Ms since epoch. @throws TaskError `BAD_TASK_OPTION`. */
export function timeOf(value: unknown, place: Place): number {
  const time = value instanceof Date ? value.getTime() : value
  if (typeof time === 'number' && Math.abs(time) <= lastTime) return Math.round(time)
  throw badOption(place, 'a valid Date or ms since epoch', value)
}

/** The last one a Date can hold. */
const lastTime = 8.64e15

export function badOption({ what, name }: Place, expected: string, found: unknown): TaskError {
  return new TaskError('BAD_TASK_OPTION', `${what}: ${name} must be ${expected}, not ${show(found)}`)
}

function whole(most: number): Reader<number> {
  return (value, place) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value
    throw badOption(place, `a whole number from 0 to ${most}`, value)
  }
}

function flag(value: unknown, place: Place): boolean {
  if (typeof value === 'boolean') return value
  throw badOption(place, 'true or false', value)
}

function queueOf(value: unknown, place: Place): string {
  if (typeof value === 'string' && /^[\w.-]{1,100}$/.test(value)) return value
  throw badOption(place, 'a name of 1 to 100 letters, digits, _, . or -', value)
}

function duration(value: unknown, place: Place): number {
  const ms = readDuration(value)
  if (ms === undefined) throw badOption(place, durationForm(), value)
  return ms
}

/** What is left out of a backoff. */
export const backoffDefaults = Object.freeze({ max: 3_600_000, jitter: 0.5 })

function backoffOf(value: unknown, place: Place): CheckedBackoff {
  if (typeof value !== 'object' || value === null) return fixed(duration(value, place))
  const type = 'type' in value ? value.type : undefined
  if (type !== 'fixed' && type !== 'exponential')
    throw badOption(place, "a duration or an object with type: 'fixed' or 'exponential'", value)
  const names = type === 'fixed' ? ['type', 'delay'] : ['type', 'delay', 'max', 'jitter']
  refuseUnknown(value, names, place)
  const { delay, max, jitter }: { delay?: unknown; max?: unknown; jitter?: unknown } = value
  const ms = duration(delay, inside(place, 'delay'))
  if (type === 'fixed') return fixed(ms)
  return Object.freeze({
    type,
    delay: ms,
    max: max === undefined ? backoffDefaults.max : duration(max, inside(place, 'max')),
    jitter: jitter === undefined ? backoffDefaults.jitter : share(jitter, inside(place, 'jitter')),
  })
}

function fixed(delay: number): CheckedBackoff {
  return Object.freeze({ type: 'fixed', delay, ...backoffDefaults })
}

function share(value: unknown, place: Place): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value
  throw badOption(place, 'a number from 0 to 1', value)
}

function keepOf(value: unknown, place: Place, base: CheckedOptions['keep']): CheckedOptions['keep'] {
  if (typeof value !== 'object' || value === null) {
    const ms = duration(value, place)
    return Object.freeze({ done: ms, failed: ms })
  }
  refuseUnknown(value, ['done', 'failed'], place)
  const { done, failed }: { done?: unknown; failed?: unknown } = value
  return Object.freeze({
    done: done === undefined ? base.done : duration(done, inside(place, 'done')),
    failed: failed === undefined ? base.failed : duration(failed, inside(place, 'failed')),
  })
}

function inside({ what, name }: Place, part: string): Place {
  return { what, name: `${name}.${part}` }
}
