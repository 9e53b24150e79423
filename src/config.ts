import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { type ClientConfig, readClients } from './config-clients.ts'
import { ConfigFaults } from './config-faults.ts'
import { type ConfigFile, readConfigFile } from './config-file.ts'
import {
  isSettingName,
  type SettingName,
  type Settings,
  secretNames,
  settingNames,
  settings,
} from './config-keys.ts'
import { type Environment, fillSecrets } from './config-secrets.ts'
import { asError, MacaronError } from './core/errors.ts'
import { nearest } from './core/nearest.ts'
import { show } from './core/show.ts'

/**
 * macaron.yaml (or PyMacaron's pym-config.yaml) and the environment become one checked, frozen object. All faults are reported at
 * once, each with file and line.
 */
export interface Config extends Settings {
  /** The service's folder, absolute. */
  readonly folder: string
  /** The configuration's file. */
  readonly file: string
  /** `MACARON_ENV`, `PYM_ENV` or `NODE_ENV`; default `development`. */
  readonly env: string
  readonly production: boolean
  readonly worker_count: number
  readonly docs: boolean
  readonly clients: Readonly<Record<string, ClientConfig>>
  readonly log_format: 'json' | 'pretty'
  /** Everything in the file, secrets filled in, unknown keys included. */
  readonly values: Readonly<Record<string, unknown>>
}

export interface ConfigOptions {
  /** The service's folder. Default: the current one. */
  readonly folder?: string
  /** What the command line says; comes before environment and file. */
  readonly overrides?: Partial<Settings>
  /** Where they come from, for messages. Default `On the command line`. */
  readonly overriddenBy?: string
  /** Default: the process's. */
  readonly environment?: Environment
  /** Whether a secret that is not set is a fault. Default true; a build that only generates has none. */
  readonly needsSecrets?: boolean
  /** Variables over those of the environment. */
  readonly variables?: Environment
}

/** Reads a service's configuration. @throws SetupError `CONFIG_MISSING`, `CONFIG_UNREADABLE`, `CONFIG_INVALID`. */
export function loadConfig(options: ConfigOptions = {}): Config {
  const folder = resolve(options.folder ?? '.')
  const environment = { ...(options.environment ?? process.env), ...options.variables }
  // An empty variable counts as none.
  const env = environment.MACARON_ENV || environment.PYM_ENV || environment.NODE_ENV || 'development'
  const file = readConfigFile(folder, env)
  const faults = new ConfigFaults(file.path, file.source)
  const values = fillSecrets(file.values, environment, options.needsSecrets === false ? undefined : faults)
  refuseSlips(file, faults)
  const read = {
    ...readSettings(file, values, faults),
    ...readEnvironment(environment, faults),
    ...readOverrides(options, faults),
  }
  const clients = readClients(read.clients, { folder, environment, faults })
  faults.throwAny()
  const production = ['production', 'prod', 'live'].includes(env.toLowerCase())
  return Object.freeze({
    ...read,
    clients,
    folder,
    file: file.path,
    env,
    production,
    worker_count: read.worker_count ?? Math.min(availableParallelism(), 4),
    docs: read.docs ?? !production,
    log_format: read.log_format ?? (production ? 'json' : 'pretty'),
    values,
  })
}

let current: Config | undefined

/** Makes a configuration the one that `config()` reads. */
export function useConfig(loaded: Config): Config {
  current = loaded
  return loaded
}

/**
 * The service's configuration by key, the service's own keys included: `config().uuid_file_path`.
 * @throws MacaronError `NO_SERVICE` before a service is loaded.
 */
export function config(): Readonly<Record<string, unknown>> {
  return currentConfig('config()').values
}

/** The configuration of the service that is loaded; `caller` stands in the message where none is. @throws MacaronError `NO_SERVICE`. */
export function currentConfig(caller: string): Config {
  if (current !== undefined) return current
  throw new MacaronError(
    'NO_SERVICE',
    `${caller} was called before a service was loaded; call it inside a function, not while a module is imported`,
  )
}

/** Own keys are fine; one that looks like a slip of ours is not. PyMacaron's file has keys of its own that ours resemble. */
function refuseSlips({ values, fromPyMacaron }: ConfigFile, faults: ConfigFaults): void {
  if (fromPyMacaron) return
  for (const key of Object.keys(values)) {
    const meant = isSettingName(key) ? undefined : nearest(key, settingNames, key.length < 6 ? 1 : 2)
    if (meant === undefined) continue
    const advice = 'If it is a key of your own, give it a name that is less like ours.'
    faults.add([key], `${key} is not known. Did you mean ${meant}? (${advice})`)
  }
}

/** `values` are those of the file with secrets filled in, which messages never show. */
function readSettings(file: ConfigFile, values: ConfigFile['values'], faults: ConfigFaults): Settings {
  if (isAbsent(values.name)) faults.add(['name'], 'name is missing: add a line such as "name: my-service"')
  const entries = settingNames.filter(isSettingName).map((key) => {
    const { fallback, pyMacaron = fallback } = settings[key]
    if (isAbsent(values[key])) return [key, file.fromPyMacaron ? pyMacaron : fallback]
    const fault = (expected: string) =>
      faults.add([key], `${key} must be ${expected}${found(key, file.values[key])}`)
    return [key, readSetting(key, values[key], fault)]
  })
  // Every key of the table is there, each read by its own reader or its fallback.
  return Object.fromEntries(entries) as Settings
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null
}

function found(key: SettingName, value: unknown): string {
  return secretNames.includes(key) ? '' : `, not ${show(value)}`
}

function readSetting(key: SettingName, value: unknown, fault: (expected: string) => void): unknown {
  const { read, fallback } = settings[key]
  try {
    return read(value)
  } catch (error) {
    fault(asError(error).message)
    return fallback
  }
}

/** `PORT` comes before `PYM_SERVER_PORT`, as in PyMacaron. */
function readEnvironment(environment: Environment, faults: ConfigFaults): Partial<Settings> {
  const name = environment.PORT ? 'PORT' : 'PYM_SERVER_PORT'
  const [port, host] = [environment[name], environment.PYM_SERVER_HOST]
  return {
    ...(port ? { port: portOf(name, port, faults) } : {}),
    ...(host ? { host } : {}),
    ...reportSwitches(environment),
  }
}

/** PyMacaron's: `NO_ERROR_REPORTING` turns reports off (in acceptance tests, say), `DO_REPORT_ERROR` turns them on again. */
function reportSwitches({ NO_ERROR_REPORTING, DO_REPORT_ERROR }: Environment): Partial<Settings> {
  if (DO_REPORT_ERROR) return { error_reports: true }
  return NO_ERROR_REPORTING ? { error_reports: false } : {}
}

function portOf(name: string, text: string, faults: ConfigFaults): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  faults.addElsewhere(`The environment variable ${name} must be a port from 0 to 65535, not ${show(text)}`)
  return 0
}

function readOverrides(
  { overrides = {}, overriddenBy = 'On the command line' }: ConfigOptions,
  faults: ConfigFaults,
): Partial<Settings> {
  const entries = Object.entries(overrides).filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    entries.map(([key, value]) => {
      const fault = (expected: string) => faults.addElsewhere(`${overriddenBy}, ${key} must be ${expected}`)
      return [key, isSettingName(key) ? readSetting(key, value, fault) : value]
    }),
  )
}
