import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { asError, type Fault, SetupError } from './core/errors.ts'
import { emit } from './core/events.ts'
import { didYouMean } from './core/nearest.ts'
import type { ServiceDefinition, ServiceRole } from './define-service.ts'

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
      throw invalid([{ file, message: `It can't be imported: ${asError(error).message}` }])
    },
  )
  return { file, definition: checked(exports, file) }
}

const names = ['service.ts', 'service.mts', 'service.js', 'service.mjs']

/** Every part of a definition is a function. */
const parts: Readonly<Record<keyof ServiceDefinition, true>> = {
  register: true,
  onStart: true,
  onStop: true,
  onPing: true,
  errorReporter: true,
  errorFormat: true,
}

function checked(exports: Readonly<Record<string, unknown>>, file: string): ServiceDefinition {
  const { service } = exports
  if (typeof service !== 'object' || service === null) {
    const found = Object.keys(exports)
    const what = found.length === 0 ? 'nothing' : found.join(', ')
    const message = `It must export \`service\`, and exports ${what}. Write: export const service = defineService({ … })`
    throw invalid([{ file, message }])
  }
  const faults = Object.entries(service).flatMap(([key, value]) => {
    const message = faultOf(key, value)
    return message === undefined ? [] : [{ file, message }]
  })
  if (faults.length > 0) throw invalid(faults)
  // Every key is one of the definition's and its value a function: more can't be known before it is called.
  return service as ServiceDefinition
}

function faultOf(key: string, value: unknown): string | undefined {
  if (!Object.hasOwn(parts, key)) {
    return `A service has no "${key}".${didYouMean(key, Object.keys(parts))} It may have ${Object.keys(parts).join(', ')}.`
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
  const late = AbortSignal.timeout(ms)
  try {
    await Promise.race([definition.onStop({ role }), once(late, 'abort')])
    if (late.aborted) emit('notice', { message: `onStop has not ended within ${ms} ms (role ${role})` })
  } catch (error) {
    emit('notice', { message: `onStop has thrown (role ${role}): ${asError(error).message}` })
  }
}

/** A process that takes longer to stop is killed by its parent at some point. */
const longestStopMs = 5000
