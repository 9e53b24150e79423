import { durationForm, readDuration } from './core/duration.ts'
import { MacaronError } from './core/errors.ts'

/**
 * Every key of macaron.yaml: how its value is read, and what it is when left out. Unknown keys are the service's own and are read
 * with `config()`.
 */
export interface Settings {
  /** The service's name, in logs and `/version`. */
  readonly name: string
  /** The service's version, in `/version`. Default `'0.0.0'`. */
  readonly version: string
  /** Run tasks: start a worker beside the server. Default false. */
  readonly with_async: boolean
  /** Default 8080; `--port`, `PORT` and `PYM_SERVER_PORT` come before it. */
  readonly port: number
  /** Address to listen on. Default `0.0.0.0`; `PYM_SERVER_HOST` comes before it. */
  readonly host: string
  /** Server processes that share the port. Default 1. */
  readonly http_workers: number
  /** Executors. Default: cores, at most 4. */
  readonly worker_count: number | undefined
  /** Attempts an executor runs at a time. Default 10. */
  readonly worker_concurrency: number
  /** MiB above which an executor is replaced once it is idle. Default 1024. */
  readonly worker_max_memory: number
  /** How long a stop waits for requests and attempts, in ms. Default 10 s. */
  readonly stop_timeout: number
  /** Where tasks are stored. Default `sqlite:` in the service's `.macaron/`. */
  readonly broker_url: string
  /** With tasks on Redis: how many of its replicas must have a task before it counts as stored. Default 0. */
  readonly redis_wait: number
  /** With tasks on Redis: whether those that it can't take are kept on this machine until it can. Default `auto`: where the folder outlives the process' machine or container. */
  readonly spool: 'auto' | 'on' | 'off'
  /** How long Redis may take to store tasks before they are spooled, in ms. Default 1 s. */
  readonly spool_after: number
  /** Largest spool, in bytes. Default 1 GiB. */
  readonly spool_limit: number
  /** `full`: a stored task survives a power cut. `normal`: it survives any crash of processes. Default `full`. */
  readonly store_sync: 'full' | 'normal'
  /** Keys that seal tasks, at least 32 bytes each: the first seals, all open. Default: made under `.macaron/`. */
  readonly seal_keys: readonly string[]
  /** Secret of JWTs (HS256). Default: made under `.macaron/` in development, refused in production. */
  readonly jwt_secret: string | undefined
  readonly jwt_issuer: string | undefined
  readonly jwt_audience: string | undefined
  /** Who callers without a token are, in `currentUser()`. Default nobody. */
  readonly default_user_id: string | undefined
  /** Whether `errorReporter` is told of anything. Default true; `NO_ERROR_REPORTING` and `DO_REPORT_ERROR` come before it. */
  readonly error_reports: boolean
  /** Calls that take longer are reported as slow, in ms; 0: none is. Default 1 s. */
  readonly report_call_exceeding_ms: number
  /** Serves `/crash/*`, operations that fail on purpose. Default false. */
  readonly crash_endpoints: boolean
  /** Which other sites' pages may call: `'*'`, a list of origins, or false. Default false; `'*'` in pym-config.yaml. */
  readonly cors: '*' | readonly string[] | undefined
  /** Compresses replies of 1 KiB and more where the caller accepts it. Default false; true in pym-config.yaml. */
  readonly compress: boolean
  /** Keys whose value names an environment variable are replaced by that variable's value. */
  readonly env_secrets: readonly string[]
  /** `apply` the basePath (2.0) or the first server's path (3.x) of a spec, or `ignore` it. Default `apply`; `ignore` in pym-config.yaml. */
  readonly base_path: 'apply' | 'ignore'
  /** Largest request body that is read into memory, in bytes; of a form with files, its texts. Default 1 MiB. */
  readonly body_limit: number
  /** Largest file of a request, in bytes. Default 10 MiB. */
  readonly file_limit: number
  /** Largest form with its files, in bytes. Default 50 MiB. */
  readonly upload_limit: number
  /** Most fields of a form. Default 1000. */
  readonly part_limit: number
  /** Longest time in which a request must have arrived whole, in ms. Default 60 s. */
  readonly arrival_timeout: number
  /** Longest time a handler may take, in ms; 0: any time. Default 30 s. */
  readonly request_timeout: number
  /** What happens to a reply that is not what the spec declares: `fail` (500, its tasks dropped), `log`, `off`. Default `fail`. */
  readonly reply_check: 'fail' | 'log' | 'off'
  /** Serve `/doc`: the APIs to read and try. Default true, but false in production. */
  readonly docs: boolean | undefined
  /** Request headers that travel with tasks, besides User-Agent and Accept-Language. Default none. */
  readonly context_headers: readonly string[]
  /** Whether the caller's token travels, sealed, with its tasks. Default true. */
  readonly context_token: boolean
  /** Largest arguments or result of a task, in bytes. Default 1 MiB. */
  readonly max_task_bytes: number
  /** The services that this one calls, by name. */
  readonly clients: Readonly<Record<string, unknown>>
  /** Default `info`. */
  readonly log_level: string
  /** Default `json` in production, else `pretty`. */
  readonly log_format: 'json' | 'pretty' | undefined
}

export type SettingName = keyof Settings

/** Reads one value. Throws with what is expected, in the middle of a sentence: `a whole number from 1 to 64`. */
export type Reader<T> = (value: unknown) => T

interface Setting<T> {
  readonly read: Reader<T>
  readonly fallback: T
  /** The fallback in PyMacaron's own file, where it is another. */
  readonly pyMacaron?: T
}

const none: readonly string[] = Object.freeze([])
const noClients: Readonly<Record<string, unknown>> = Object.freeze({})

export const settings: { readonly [Name in SettingName]: Setting<Settings[Name]> } = {
  name: { read: text, fallback: '' },
  version: { read: text, fallback: '0.0.0' },
  with_async: { read: flag, fallback: false },
  port: { read: whole(0, 65_535), fallback: 8080 },
  host: { read: text, fallback: '0.0.0.0' },
  http_workers: { read: whole(1, 64), fallback: 1 },
  worker_count: { read: whole(1, 64), fallback: undefined },
  worker_concurrency: { read: whole(1, 1000), fallback: 10 },
  worker_max_memory: { read: whole(64, 1_048_576), fallback: 1024 },
  stop_timeout: { read: duration, fallback: 10_000 },
  broker_url: { read: text, fallback: 'sqlite:' },
  redis_wait: { read: whole(0, 10), fallback: 0 },
  spool: { read: onOff, fallback: 'auto' },
  spool_after: { read: duration, fallback: 1000 },
  spool_limit: { read: whole(1_048_576, 1_099_511_627_776), fallback: 1_073_741_824 },
  store_sync: { read: oneOf('full', 'normal'), fallback: 'full' },
  seal_keys: { read: texts, fallback: none },
  jwt_secret: { read: text, fallback: undefined },
  jwt_issuer: { read: text, fallback: undefined },
  jwt_audience: { read: text, fallback: undefined },
  default_user_id: { read: userId, fallback: undefined },
  error_reports: { read: flag, fallback: true },
  report_call_exceeding_ms: { read: duration, fallback: 1000 },
  crash_endpoints: { read: flag, fallback: false },
  cors: { read: origins, fallback: undefined, pyMacaron: '*' },
  compress: { read: flag, fallback: false, pyMacaron: true },
  env_secrets: { read: texts, fallback: none },
  base_path: { read: oneOf('apply', 'ignore'), fallback: 'apply', pyMacaron: 'ignore' },
  body_limit: { read: whole(1, 1_073_741_824), fallback: 1_048_576 },
  file_limit: { read: whole(1, 1_099_511_627_776), fallback: 10_485_760 },
  upload_limit: { read: whole(1, 1_099_511_627_776), fallback: 52_428_800 },
  part_limit: { read: whole(1, 100_000), fallback: 1000 },
  arrival_timeout: { read: duration, fallback: 60_000 },
  request_timeout: { read: duration, fallback: 30_000 },
  reply_check: { read: oneOf('fail', 'log', 'off'), fallback: 'fail' },
  docs: { read: flag, fallback: undefined },
  context_headers: { read: texts, fallback: none },
  context_token: { read: flag, fallback: true },
  max_task_bytes: { read: whole(1024, 268_435_456), fallback: 1_048_576 },
  clients: { read: map, fallback: noClients },
  log_level: { read: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal'), fallback: 'info' },
  log_format: { read: oneOf('json', 'pretty'), fallback: undefined },
}

export const settingNames: readonly string[] = Object.keys(settings)

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settings, name)
}

/** Values of these must never be shown. */
export const secretNames: readonly string[] = ['jwt_secret', 'seal_keys', 'broker_url', 'clients']

export function expected(what: string): MacaronError {
  return new MacaronError('BAD_SETTING', what)
}

function text(value: unknown): string {
  if (typeof value === 'string' && value.trim() !== '') return value
  if (typeof value === 'number')
    throw expected('a text; put it in quotes, or YAML reads 1.10 as the number 1.1')
  throw expected('a text')
}

function texts(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '')) return value
  throw expected('a list of texts')
}

function map(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw expected('a map of names, each with at least a url')
}

export function flag(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw expected('true or false')
}

/** YAML reads an unquoted id of digits as a number. */
function userId(value: unknown): string {
  return text(typeof value === 'number' ? String(value) : value)
}

function origins(value: unknown): '*' | readonly string[] | undefined {
  if (value === false) return undefined
  if (value === '*') return value
  if (Array.isArray(value) && value.every(isOrigin)) return value
  throw expected("'*', false, or a list of origins such as https://shop.example")
}

/** As browsers send it: scheme, host and port, without a path (RFC 6454 §6.2). */
function isOrigin(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value
}

export function whole(least: number, most: number): Reader<number> {
  return (value) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
    throw expected(`a whole number from ${least} to ${most}`)
  }
}

export function oneOf<const T extends string>(...allowed: readonly T[]): Reader<T> {
  return (value) => {
    const found = allowed.find((item) => item === value)
    if (found !== undefined) return found
    throw expected(`one of ${allowed.join(', ')}`)
  }
}

/** YAML 1.1 reads on and off as true and false. */
function onOff(value: unknown): 'auto' | 'on' | 'off' {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return oneOf('auto', 'on', 'off')(value)
}

/** Longer ones no timer can hold. */
const longestTimer = 2_147_483_647

export function duration(value: unknown): number {
  const ms = readDuration(value)
  if (ms !== undefined && ms <= longestTimer) return ms
  throw expected(durationForm('24 days'))
}
