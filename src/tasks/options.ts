import { type Duration, milliseconds } from '../core/duration.ts'
import { TaskError } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'

/** What can be asked for on a task, and per call. Times are durations: milliseconds, or `'30s'`, `'5m'`, `'2h'`, `'7d'`. */
export interface TaskOptions {
  /** How often a run that threw is repeated. Default 0. Crashes are always rerun, whatever this says. */
  readonly retries?: number
  /** How long to wait before a repeated run. Default: exponential from 1 s, at most 1 h. */
  readonly backoff?: Backoff
  /** Default `'default'`. */
  readonly queue?: string
  /** 0 (default, first) … 2,097,151 (last), within a queue's waiting tasks. */
  readonly priority?: number
  /** Not before this long after the fire. Default none. */
  readonly delay?: Duration
  /** How long a settled task is kept. Default: done 1 h, failed, cancelled and parked 7 days. */
  readonly keep?: Duration | { readonly done?: Duration; readonly failed?: Duration }
  /** Never start it twice: a crash parks it as `lost` instead of rerunning it. Default false. */
  readonly atMostOnce?: boolean
}

/** The options of one call, over those of the task; `at` (a Date, or ms since epoch) is another way to say `delay`. */
export interface FireOptions extends TaskOptions {
  readonly at?: Date | number
}

/** A fixed time, or `delay × 2^n` up to `max` (default 1 h), of which up to the share `jitter` (0…1, default 0.5) is taken off by chance. */
export type Backoff =
  | Duration
  | { readonly type: 'fixed'; readonly delay: Duration }
  | {
      readonly type: 'exponential'
      readonly delay: Duration
      readonly max?: Duration
      readonly jitter?: number
    }

/** Checked options, times in ms. */
export interface CheckedOptions {
  readonly retries: number
  readonly backoff: CheckedBackoff
  readonly queue: string
  readonly priority: number
  readonly delay: number
  readonly keep: { readonly done: number; readonly failed: number }
  readonly atMostOnce: boolean
}

export interface CheckedBackoff {
  readonly type: 'fixed' | 'exponential'
  readonly delay: number
  readonly max: number
  readonly jitter: number
}

const hour = 3_600_000

export const defaultOptions: CheckedOptions = Object.freeze({
  retries: 0,
  backoff: Object.freeze({ type: 'exponential' as const, delay: 1000, max: hour, jitter: 0.5 }),
  queue: 'default',
  priority: 0,
  delay: 0,
  keep: Object.freeze({ done: hour, failed: 7 * 24 * hour }),
  atMostOnce: false,
})

/** BullMQ's highest, kept for both engines. */
export const lowestPriority = 2_097_151

const optionNames = [...Object.keys(defaultOptions), 'at']

/**
 * `given` over `base`, checked. `what` names the task in messages; `now` (ms since epoch) turns `at` into a delay.
 * @throws TaskError `BAD_TASK_OPTION`; MacaronError `BAD_DURATION`.
 */
export function checkOptions(
  given: FireOptions,
  base: CheckedOptions,
  place: { what: string; now: number },
): CheckedOptions {
  for (const name of Object.keys(given)) refuseUnknown(name, place.what)
  const { what } = place
  return {
    retries:
      given.retries === undefined
        ? base.retries
        : whole(given.retries, { max: 1_000_000, name: 'retries', what }),
    backoff: given.backoff === undefined ? base.backoff : checkBackoff(given.backoff, what),
    queue: given.queue === undefined ? base.queue : checkQueue(given.queue, what),
    priority:
      given.priority === undefined
        ? base.priority
        : whole(given.priority, { max: lowestPriority, name: 'priority', what }),
    delay: given.at === undefined ? delayOf(given.delay, base.delay, what) : delayUntil(given, place),
    keep: given.keep === undefined ? base.keep : checkKeep(given.keep, base.keep, what),
    atMostOnce: given.atMostOnce === undefined ? base.atMostOnce : flag(given.atMostOnce, what),
  }
}

function refuseUnknown(name: string, what: string): void {
  if (optionNames.includes(name)) return
  const meant = nearest(name, optionNames)
  const hint = meant === undefined ? `Known are ${optionNames.join(', ')}.` : `Did you mean ${meant}?`
  throw new TaskError('BAD_TASK_OPTION', `${what}: unknown option ${JSON.stringify(name)}. ${hint}`)
}

function bad(what: string, name: string, expected: string, found: unknown): TaskError {
  return new TaskError(
    'BAD_TASK_OPTION',
    `${what}: ${name} must be ${expected}, not ${JSON.stringify(found) ?? String(found)}`,
  )
}

function whole(value: unknown, rule: { max: number; name: string; what: string }): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= rule.max) return value
  throw bad(rule.what, rule.name, `a whole number from 0 to ${rule.max}`, value)
}

function flag(value: unknown, what: string): boolean {
  if (typeof value === 'boolean') return value
  throw bad(what, 'atMostOnce', 'true or false', value)
}

function checkQueue(value: unknown, what: string): string {
  if (typeof value === 'string' && /^[\w.-]{1,100}$/.test(value)) return value
  throw bad(what, 'queue', 'a name of 1 to 100 letters, digits, _, . or -', value)
}

function delayOf(given: Duration | undefined, base: number, what: string): number {
  return given === undefined ? base : milliseconds(given, `${what}: delay`)
}

function delayUntil(given: FireOptions, place: { what: string; now: number }): number {
  if (given.delay !== undefined) throw bad(place.what, 'at', 'given without delay', given.at)
  const time = given.at instanceof Date ? given.at.getTime() : given.at
  if (time === undefined || !Number.isFinite(time))
    throw bad(place.what, 'at', 'a valid Date or ms since epoch', given.at)
  return Math.max(0, Math.round(time - place.now))
}

function checkBackoff(backoff: Backoff, what: string): CheckedBackoff {
  const fallback = defaultOptions.backoff
  if (typeof backoff !== 'object')
    return { ...fallback, type: 'fixed', delay: milliseconds(backoff, `${what}: backoff`) }
  if (backoff === null || (backoff.type !== 'fixed' && backoff.type !== 'exponential')) {
    throw bad(
      what,
      'backoff',
      `a duration or { type: 'fixed' | 'exponential', delay, max?, jitter? }`,
      backoff,
    )
  }
  const delay = milliseconds(backoff.delay, `${what}: backoff.delay`)
  if (backoff.type === 'fixed') return { ...fallback, type: 'fixed', delay }
  const max = backoff.max === undefined ? fallback.max : milliseconds(backoff.max, `${what}: backoff.max`)
  const jitter = backoff.jitter ?? fallback.jitter
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1))
    throw bad(what, 'backoff.jitter', 'from 0 to 1', jitter)
  return { type: 'exponential', delay, max, jitter }
}

function checkKeep(
  keep: NonNullable<TaskOptions['keep']>,
  base: CheckedOptions['keep'],
  what: string,
): CheckedOptions['keep'] {
  if (typeof keep !== 'object') {
    const ms = milliseconds(keep, `${what}: keep`)
    return { done: ms, failed: ms }
  }
  return {
    done: keep.done === undefined ? base.done : milliseconds(keep.done, `${what}: keep.done`),
    failed: keep.failed === undefined ? base.failed : milliseconds(keep.failed, `${what}: keep.failed`),
  }
}
