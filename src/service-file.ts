import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { asError, type Fault, SetupError } from './core/errors.ts'
import { emit } from './core/events.ts'
import { didYouMean } from './core/nearest.ts'
import type { ServiceDefinition, ServiceRole } from './define-service.ts'
import { importFault } from './spec/import-fault.ts'

/** A service's `service.ts`, loaded and checked; without one it says nothing. */
export interface ServiceFile {
  /** Absolute; undefined where the service has none. */
  readonly file: string | undefined
  readonly definition: ServiceDefinition
}

/**
 * Loads `service.ts` (or `.mts`, `.js`, `.mjs`) of a folder, where there is one.
 * @throws SetupError `SERVICE_INVALID` with all faults of its shape, or where it can't be imported.
 */
export async function loadServiceFile(folder: string): Promise<ServiceFile> {
  const file = names.map((name) => join(folder, name)).find((path) => existsSync(path))
  if (file === undefined) return { file, definition: {} }
  const exports: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href).catch(
    (error: unknown) => {
      throw invalid([importFault(file, asError(error), folder)])
    },
  )
  return { file, definition: checked(exports, file) }
}

const names = ['service.ts', 'service.mts', 'service.js', 'service.mjs']

/** Every part of a definition is a function; a part that is missing here does not compile. */
const known: Readonly<Record<keyof ServiceDefinition, true>> = {
  register: true,
  onStart: true,
  onStop: true,
  onPing: true,
  errorReporter: true,
  errorFormat: true,
}
const parts = Object.keys(known)

function checked(exports: Readonly<Record<string, unknown>>, file: string): ServiceDefinition {
  const { service } = exports
  if (typeof service !== 'object' || service === null) {
    const found = Object.keys(exports)
    const what = found.length === 0 ? 'nothing' : found.join(', ')
    const message = `It must export \`service\`, and exports ${what}. Write: export const service = defineService({ … })`
    throw invalid([{ file, message }])
  }
  const faults = [...new Set([...Object.keys(service), ...parts])].flatMap((key) => {
    const message = faultOf(key, Reflect.get(service, key))
    return message === undefined ? [] : [{ file, message }]
  })
  if (faults.length > 0) throw invalid(faults)
  return bound(service)
}

/** The parts as functions that know their object, wherever they are called; also those that an instance has of its class. */
function bound(service: object): ServiceDefinition {
  const entries = parts.flatMap((key) => {
    const part: unknown = Reflect.get(service, key)
    return typeof part === 'function' ? [[key, part.bind(service)]] : []
  })
  // Every key is one of the definition's and its value a function: more can't be known before it is called.
  return Object.fromEntries(entries) as ServiceDefinition
}

function faultOf(key: string, value: unknown): string | undefined {
  if (!parts.includes(key)) {
    return `A service has no "${key}".${didYouMean(key, parts)} It may have ${parts.join(', ')}.`
  }
  if (value === undefined || typeof value === 'function') return undefined
  return `"${key}" must be a function, not ${value === null ? 'null' : `of type ${typeof value}`}`
}

function invalid(faults: readonly Fault[]): SetupError {
  return new SetupError('SERVICE_INVALID', faults)
}

/** Runs `onStart`. @throws SetupError `SERVICE_START_FAILED` with what it has thrown. */
export async function startHook({ file, definition }: ServiceFile, role: ServiceRole): Promise<void> {
  if (definition.onStart === undefined) return
  const slow = warnLater(role)
  try {
    await definition.onStart({ role })
  } catch (error) {
    const message = `onStart has thrown (role ${role}): ${ownStack(asError(error))}`
    throw new SetupError('SERVICE_START_FAILED', [file === undefined ? { message } : { file, message }])
  } finally {
    clearTimeout(slow)
  }
}

/** Without it nobody would know why a service doesn't come up. */
function warnLater(role: ServiceRole): NodeJS.Timeout {
  const tell = () =>
    emit('notice', {
      message: `onStart has not ended after ${patienceMs / 1000} s (role ${role}); the start waits for it`,
    })
  return setTimeout(tell, patienceMs).unref()
}

const patienceMs = 10_000

/** What was thrown, with the lines of the service's code that lead there. */
function ownStack({ stack, message }: Error): string {
  if (stack === undefined) return message
  return stack
    .split('\n')
    .filter((line) => !/^\s+at .*(?:startHook|node:internal|\(node:)/.test(line))
    .join('\n')
}

/** Runs `onStop` for at most `ms`; what it throws is told and holds nothing up. */
export async function stopHook(
  { definition }: ServiceFile,
  role: ServiceRole,
  ms = longestStopMs,
): Promise<void> {
  if (definition.onStop === undefined) return
  const ended = new AbortController()
  const late = delay(ms, 'late', { signal: ended.signal }).catch(() => undefined)
  try {
    const first = await Promise.race([
      Promise.resolve(definition.onStop({ role })).then(() => undefined),
      late,
    ])
    if (first === 'late') emit('notice', { message: `onStop has not ended within ${ms} ms (role ${role})` })
  } catch (error) {
    emit('notice', { message: `onStop has thrown (role ${role}): ${asError(error).message}` })
  }
  ended.abort()
}

/** A process that takes longer to stop is killed by its parent at some point. */
const longestStopMs = 5000
