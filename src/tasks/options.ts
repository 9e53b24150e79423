import type { Duration } from '../core/duration.ts'
import { backoffDefaults, badOption, readOption, refuseUnknown, timeOf } from './option-values.ts'

/** What can be asked for on a task, and per call. Times are durations: milliseconds, or `'30s'`, `'5m'`, `'2h'`, `'7d'`, at most 100 years. */
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
  /** How long a settled task is kept; `failed` stands for cancelled and parked too. Default: done 1 h, failed 7 days. */
  readonly keep?: Duration | { readonly done?: Duration; readonly failed?: Duration }
  /** Never start it twice: a crash parks it as `lost` instead of rerunning it. Default false. */
  readonly atMostOnce?: boolean
}

/** The options of one call, over those of the task. */
export interface FireOptions extends TaskOptions {
  /** Not before this time, a Date or ms since epoch; at once where it has passed. In place of `delay`. */
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
  backoff: Object.freeze({ type: 'exponential' as const, delay: 1000, ...backoffDefaults }),
  queue: 'default',
  priority: 0,
  delay: 0,
  keep: Object.freeze({ done: hour, failed: 7 * 24 * hour }),
  atMostOnce: false,
})

const optionNames = Object.keys(defaultOptions)

/** A task's options over `base`, checked. `what` names the task in messages. @throws TaskError `BAD_TASK_OPTION`. */
export function checkOptions(given: TaskOptions, base: CheckedOptions, what: string): CheckedOptions {
  refuseUnknown(given, optionNames, { what, name: 'options' })
  return over(given, base, what)
}

/** Checked options of a call. */
export interface CheckedCall {
  readonly options: CheckedOptions
  /** Ms since epoch; comes before the options' delay. */
  readonly at: number | undefined
}

/** The options of a call over those of its task, checked. @throws TaskError `BAD_TASK_OPTION`. */
export function checkFireOptions(given: FireOptions, base: CheckedOptions, what: string): CheckedCall {
  refuseUnknown(given, [...optionNames, 'at'], { what, name: 'options' })
  const at = given.at === undefined ? undefined : timeOf(given.at, { what, name: 'at' })
  if (at !== undefined && given.delay !== undefined) {
    throw badOption({ what, name: 'at' }, 'given without delay, since both say when', given.at)
  }
  return { options: over(given, base, what), at }
}

function over(given: TaskOptions, base: CheckedOptions, what: string): CheckedOptions {
  const read = <Name extends keyof CheckedOptions>(name: Name): CheckedOptions[Name] =>
    given[name] === undefined ? base[name] : readOption(name, given[name], { what, base })
  return Object.freeze({
    retries: read('retries'),
    backoff: read('backoff'),
    queue: read('queue'),
    priority: read('priority'),
    delay: read('delay'),
    keep: read('keep'),
    atMostOnce: read('atMostOnce'),
  })
}
