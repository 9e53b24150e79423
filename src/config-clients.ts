import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { headerFault } from './clients/header-fault.ts'
import type { ConfigFaults } from './config-faults.ts'
import { duration, expected, flag, oneOf, type Reader, whole } from './config-keys.ts'
import type { Environment } from './config-secrets.ts'
import { asError } from './core/errors.ts'
import { didYouMean } from './core/nearest.ts'

/** The key `clients`: which other services this one calls, where they are, and how patient calls are. */
export interface ClientConfig {
  /** The spec: `clients/<name>.yaml`, else the service's own `apis/<name>.yaml`. */
  readonly spec: string
  /** Whether that spec is one of this service's own. */
  readonly isOwn: boolean
  /**
   * Where the other service is: an address, and what goes before all of its paths. `MACARON_CLIENT_<NAME>_URL` comes first. Needed by what makes calls,
   * and by nothing else: a build that only generates has no addresses.
   */
  readonly url: string | undefined
  /** How long a call may take with all its tries, in ms. Default 10 s. */
  readonly timeout: number
  /** How many times more an idempotent call is tried. Default 2. */
  readonly retries: number
  /** What happens to a reply that is not what the spec declares. Default `fail`. */
  readonly reply_check: 'fail' | 'log' | 'off'
  /** Largest body of a reply, in bytes. Default 10 MiB. */
  readonly reply_limit: number
  /** Whether the spec's base path goes before its paths. Default: as for this service's own APIs. */
  readonly base_path: 'apply' | 'ignore' | undefined
  /** Whether the caller's token is passed on where an operation needs one. Default true. */
  readonly pass_token: boolean
  /** Sent with every call, such as a key; names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

type Values = Omit<ClientConfig, 'spec' | 'isOwn'>

const keys: {
  readonly [Key in keyof Values]: { readonly read: Reader<Values[Key]>; readonly fallback: Values[Key] }
} = {
  url: { read: address, fallback: undefined },
  timeout: { read: duration, fallback: 10_000 },
  retries: { read: whole(0, 10), fallback: 2 },
  reply_check: { read: oneOf('fail', 'log', 'off'), fallback: 'fail' },
  reply_limit: { read: whole(1, 1_073_741_824), fallback: 10_485_760 },
  base_path: { read: oneOf('apply', 'ignore'), fallback: undefined },
  pass_token: { read: flag, fallback: true },
  headers: { read: headers, fallback: Object.freeze({}) },
}

interface Reading {
  readonly folder: string
  readonly environment: Environment
  readonly faults: ConfigFaults
}

/** Every client: those of the configuration, and those whose spec is in `clients/`. Values may be secrets and are never shown. */
export function readClients(
  configured: Readonly<Record<string, unknown>>,
  reading: Reading,
): Readonly<Record<string, ClientConfig>> {
  const specs = new Map<string, Pick<ClientConfig, 'spec' | 'isOwn'>>()
  for (const [name, spec] of specsIn(join(reading.folder, 'apis'))) specs.set(name, { spec, isOwn: true })
  for (const [name, spec] of specsIn(join(reading.folder, 'clients'))) specs.set(name, { spec, isOwn: false })
  const own = [...specs].filter(([, { isOwn }]) => !isOwn).map(([name]) => name)
  const names = new Set([...Object.keys(configured), ...own])
  const clients = [...names].flatMap((name) => {
    const spec = specs.get(name)
    const values = readClient(name, configured[name] ?? {}, reading)
    if (values === undefined) return []
    if (spec !== undefined) return [[name, Object.freeze({ ...values, ...spec })] as const]
    const message = `clients.${name} has no spec: put the other service's at clients/${name}.yaml, or name one of apis/.`
    reading.faults.add(['clients', name], `${message}${didYouMean(name, specs.keys())}`)
    return []
  })
  return Object.freeze(Object.fromEntries(clients))
}

function specsIn(folder: string): (readonly [string, string])[] {
  if (!existsSync(folder)) return []
  const files = readdirSync(folder).filter((name) => /^[^.#~].*\.(ya?ml|json)$/.test(name))
  return files.toSorted().map((file) => [file.replace(/\.(ya?ml|json)$/, ''), join(folder, file)])
}

/** Undefined where what is given is no map, which is told. */
function readClient(name: string, raw: unknown, { environment, faults }: Reading): Values | undefined {
  const path = ['clients', name]
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    faults.add(path, `clients.${name} must be a map, with at least a url`)
    return undefined
  }
  const given: Readonly<Record<string, unknown>> = { ...raw }
  const url = environment[urlVariable(name)] || given.url
  for (const key of Object.keys(given).filter((one) => !Object.hasOwn(keys, one))) {
    faults.add([...path, key], `clients.${name}.${key} is not known.${didYouMean(key, Object.keys(keys))}`)
  }
  const entries = Object.entries(keys).map(([key, { read, fallback }]) => {
    const value = key === 'url' ? url : given[key]
    if (value === undefined || value === null) return [key, fallback]
    try {
      return [key, read(value)]
    } catch (error) {
      faults.add([...path, key], `clients.${name}.${key} must be ${asError(error).message}`)
      return [key, fallback]
    }
  })
  // Every key of the table is there, each read by its own reader or its fallback.
  return Object.fromEntries(entries) as Values
}

/** The environment variable that holds a client's address. */
export function urlVariable(name: string): string {
  return `MACARON_CLIENT_${name.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}_URL`
}

function address(value: unknown): string {
  const url = typeof value === 'string' ? URL.parse(value) : null
  const fits =
    url !== null &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    [url.username, url.password, url.search, url.hash].every((part) => part === '')
  if (fits) return url.href
  throw expected('an address such as https://login.example.com, without user, query and fragment')
}

function headers(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw expected('a map of header names and texts')
  const entries = Object.entries(value).map(([name, text]) => {
    const fault = headerFault(name, text)
    if (fault !== undefined) throw expected(`a map of headers; ${name} ${fault}`)
    return [name.toLowerCase(), String(text)]
  })
  return Object.freeze(Object.fromEntries(entries))
}
