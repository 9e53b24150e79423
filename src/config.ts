import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join, resolve } from 'node:path'
import * as yaml from 'js-yaml'
import { isSettingName, type SettingName, type Settings, settingNames, settings } from './config-keys.ts'
import { asError, MacaronError, SetupError } from './core/errors.ts'
import { nearest } from './core/nearest.ts'
import { locateFaults, type PlacedFault } from './spec/locate.ts'
import { below } from './spec/pointers.ts'

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
  readonly log_format: 'json' | 'pretty'
  /** Everything in the file, secrets filled in, unknown keys included. */
  readonly values: Readonly<Record<string, unknown>>
}

export interface ConfigOptions {
  /** The service's folder. Default: the current one. */
  readonly folder?: string
  /** What the command line says; comes before environment and file. */
  readonly overrides?: Partial<Settings>
  /** Default: the process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** Reads a service's configuration. @throws SetupError `CONFIG_MISSING`, `CONFIG_INVALID`. */
export function loadConfig(options: ConfigOptions = {}): Config {
  const folder = resolve(options.folder ?? '.')
  const environment = options.environment ?? process.env
  const env = environment.MACARON_ENV ?? environment.PYM_ENV ?? environment.NODE_ENV ?? 'development'
  const file = findFile(folder, env)
  const source = readFileSync(file, 'utf8')
  const faults = new Faults(file, source)
  const values = fillSecrets(parse(source, file), environment, faults)
  const read = { ...readSettings(values, faults), ...fromEnvironment(environment), ...options.overrides }
  faults.throwAny()
  const production = ['production', 'prod', 'live'].includes(env)
  return Object.freeze({
    ...read,
    base_path: values.base_path === undefined && isPyMacaron(file) ? 'ignore' : read.base_path,
    folder,
    file,
    env,
    production,
    worker_count: read.worker_count ?? Math.min(availableParallelism(), 4),
    log_format: read.log_format ?? (production ? 'json' : 'pretty'),
    values: Object.freeze(values),
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
  if (current !== undefined) return current.values
  throw new MacaronError(
    'NO_SERVICE',
    'config() was called before a service was loaded; call it inside a function, not while a module is imported',
  )
}

function findFile(folder: string, env: string): string {
  const names = ['macaron.yaml', 'macaron.yml', `pym-config.${env}.yaml`, 'pym-config.yaml']
  const found = names.map((name) => join(folder, name)).find((path) => existsSync(path))
  if (found !== undefined) return found
  throw new SetupError('CONFIG_MISSING', [
    {
      message: `There is no macaron.yaml in ${folder}. Start in the service's folder, name it with --service DIR, or make the file; "name: my-service" is enough.`,
    },
  ])
}

function isPyMacaron(file: string): boolean {
  return basename(file).startsWith('pym-config')
}

function parse(source: string, file: string): Record<string, unknown> {
  const parsed = parseYaml(source, file)
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed }
  if (parsed === undefined || parsed === null) return {}
  throw new SetupError('CONFIG_INVALID', [
    { file, line: 1, message: 'The configuration must be a list of "key: value" lines' },
  ])
}

function parseYaml(source: string, file: string): unknown {
  try {
    return source.trim() === '' ? undefined : yaml.load(source)
  } catch (error) {
    const fault =
      error instanceof yaml.YAMLException
        ? { line: (error.mark?.line ?? 0) + 1, message: `Not readable as YAML: ${error.reason}` }
        : { message: asError(error).message }
    throw new SetupError('CONFIG_INVALID', [{ file, ...fault }])
  }
}

/** Values listed in `env_secrets` name environment variables: PyMacaron's way to keep secrets out of the file. */
function fillSecrets(
  values: Record<string, unknown>,
  environment: NonNullable<ConfigOptions['environment']>,
  faults: Faults,
): Record<string, unknown> {
  const names: readonly unknown[] = Array.isArray(values.env_secrets) ? values.env_secrets : []
  const fill = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) return value.map((item) => fill(item, key))
    if (typeof value !== 'string' || !names.includes(value)) return value
    const secret = environment[value]
    if (secret === undefined || secret === '')
      faults.add(
        key,
        `${key} names the environment variable ${value} (listed in env_secrets), which is not set. Set it before starting.`,
      )
    return secret ?? value
  }
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, key === 'env_secrets' ? value : fill(value, key)]),
  )
}

function readSettings(values: Readonly<Record<string, unknown>>, faults: Faults): Settings {
  for (const key of Object.keys(values)) if (!isSettingName(key)) faults.unknown(key)
  if (typeof values.name !== 'string')
    faults.add('name', 'name is missing: add a line such as "name: my-service"')
  const entries = settingNames
    .filter(isSettingName)
    .map((key) => [key, readSetting(key, values[key], faults)])
  // Every key of the table is there, each read by its own reader or its fallback.
  return Object.fromEntries(entries) as Settings
}

function readSetting(key: SettingName, value: unknown, faults: Faults): unknown {
  const { read, fallback } = settings[key]
  if (value === undefined || value === null || (key === 'name' && typeof value !== 'string')) return fallback
  try {
    return read(value)
  } catch (error) {
    faults.add(key, `${key} must be ${asError(error).message}${shown(key, value)}`)
    return fallback
  }
}

function shown(key: string, value: unknown): string {
  return /secret|key|url|token|password/i.test(key) ? '' : `, not ${JSON.stringify(value)}`
}

/** `PORT` comes before `PYM_SERVER_PORT`, as in PyMacaron. */
function fromEnvironment(environment: NonNullable<ConfigOptions['environment']>): Partial<Settings> {
  const name = environment.PORT ? 'PORT' : 'PYM_SERVER_PORT'
  const host = environment.PYM_SERVER_HOST
  return {
    ...(environment[name] ? { port: portOf(name, environment[name]) } : {}),
    ...(host ? { host } : {}),
  }
}

function portOf(name: string, text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new SetupError('CONFIG_INVALID', [
    {
      message: `The environment variable ${name} must be a port from 0 to 65535, not ${JSON.stringify(text)}`,
    },
  ])
}

/** Collects what is wrong in the file, with lines. */
class Faults {
  readonly #file: string
  readonly #source: string
  readonly #found: PlacedFault[] = []

  constructor(file: string, source: string) {
    this.#file = file
    this.#source = source
  }

  add(key: string, message: string): void {
    this.#found.push({ pointer: below('', key), message })
  }

  /** Own keys are fine; one that looks like a slip of ours is not. PyMacaron's file has keys of its own that ours resemble. */
  unknown(key: string): void {
    const meant = isPyMacaron(this.#file) ? undefined : nearest(key, settingNames, key.length < 6 ? 1 : 2)
    if (meant === undefined) return
    this.add(
      key,
      `${key} is not known. Did you mean ${meant}? (If it is a key of your own, give it a name that is less like ours.)`,
    )
  }

  throwAny(): void {
    if (this.#found.length > 0)
      throw new SetupError('CONFIG_INVALID', locateFaults(this.#file, this.#found, this.#source))
  }
}
