import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Config, type ConfigOptions, loadConfig, useConfig } from './config.ts'
import { asError, codeOf, type Fault, SetupError } from './core/errors.ts'
import { storeFolder } from './engines/open.ts'
import { buildHttp } from './http/server.ts'
import { checkKeys } from './keys.ts'
import { asksForTokens, httpOptions } from './roles.ts'
import { handlersOf, idleTasks, importTasks, type LoadedService } from './service.ts'
import { checkClients } from './service-clients.ts'
import { loadServiceFile } from './service-file.ts'
import { requireSharedPort } from './shared-port.ts'
import type { Api } from './spec/api.ts'
import { type Bindings, bindHandlers } from './spec/bindings.ts'
import { importBoundModules } from './spec/bound-modules.ts'
import { generatedFileOf, generateIfStale } from './spec/generate.ts'
import { type Advice, adviceOn } from './spec/lint.ts'
import { type ReadApis, readApis } from './spec/load.ts'
import { models } from './spec/model-registry.ts'
import { importParents } from './spec/parents.ts'
import { stateFolder } from './state-folder.ts'
import { registry } from './tasks/registry.ts'

/**
 * Everything that is wrong with a service's files, found without starting it. The parts are loaded as a start loads them, by the same functions, but one
 * that fails doesn't keep the others from being looked at.
 */

export type Severity =
  /** The service does not start. */
  | 'error'
  /** It starts, but hardly as meant. */
  | 'warning'
  /** Of a spec that works: advice on how it is written. */
  | 'hint'

export interface Finding extends Fault {
  readonly severity: Severity
  /** The code of the error that a start would end with, or the linter's rule. */
  readonly rule: string
}

/** Plain data: it is made in a process of its own. */
export interface CheckReport {
  /** By file and line; hints only where asked for. */
  readonly findings: readonly Finding[]
  /** How many hints there are. */
  readonly hints: number
  readonly apis: number
  readonly operations: number
  readonly tasks: number
}

export interface CheckOptions extends ConfigOptions {
  /** Whether hints are listed; they are counted in any case. */
  readonly hints: boolean
}

/**
 * Checks the service in a folder. Imports its modules, and writes generated files where they are missing or out of date, as a start does; makes no keys, opens no
 * port and no store.
 */
export async function checkService({ hints, ...options }: CheckOptions): Promise<CheckReport> {
  const found = new Findings()
  const folder = resolve(options.folder ?? '.')
  const config = await found.from(() => useConfig(loadConfig({ ...options, folder })))
  const own = (await found.from(() => loadServiceFile(folder))) ?? { file: undefined, definition: {} }
  const { apis, broken } = await checkSpecs(folder, config, found)
  const all = [...apis, ...broken]
  if (config !== undefined) await checkClients(config, all, found)
  const bindings = await found.from(() => bindHandlers(all, folder, handlersOf(config ?? noConfig, all, own)))
  await found.from(() => importParents(all, folder))
  await found.from(() => importTasks(folder))
  if (config !== undefined) await checkConfigured(config, { apis, bindings, own }, found)
  const operations = all.flatMap((api) => api.operations).filter(({ served }) => served)
  const advice = await adviceOnAll(apis)
  if (hints) for (const one of advice) found.add('hint', one.rule, [{ ...one, ...one.position() }])
  return {
    findings: found.sorted,
    hints: advice.length,
    apis: all.length,
    operations: operations.length,
    tasks: registry.names().length,
  }
}

/** Macaron's own functions are bound, not called: what they say of the service doesn't matter here. */
const noConfig = { name: '', version: '', env: '', report_call_exceeding_ms: 0 }

/** The APIs; generated files and models of those without faults are in place then. */
async function checkSpecs(
  folder: string,
  config: Config | undefined,
  found: Findings,
): Promise<Pick<ReadApis, 'apis' | 'broken'>> {
  const basePath = config?.base_path ?? 'apply'
  const read = await found.from(() => readApis(join(folder, 'apis'), { basePath }))
  if (read === undefined) return { apis: [], broken: [] }
  found.add('error', 'SPEC_INVALID', read.faults)
  for (const { file } of read.apis) {
    const generated = await found.from(() => generateIfStale(file))
    if (generated?.replaced !== true) continue
    const message =
      'This file was made from another text of its spec; it was now made anew. Commit it, or leave it out of version control.'
    found.add('warning', 'GENERATED_STALE', [{ file: generated.file, message }])
  }
  models.addApis(read.apis)
  const unread = read.faults.flatMap(({ file }) => file ?? []).map(generatedFileOf)
  found.excuse(unread.filter((file) => !existsSync(file)))
  return read
}

/** One after the other: a big spec takes hundreds of MiB. */
async function adviceOnAll(apis: readonly Api[]): Promise<readonly Advice[]> {
  const advice: Advice[] = []
  for (const { file } of apis) advice.push(...(await adviceOn(file)))
  return advice
}

/** What was loaded; bindings only where all were found. */
type Parts = Omit<LoadedService, 'bindings'> & { readonly bindings: Bindings | undefined }

async function checkConfigured(
  config: Config,
  { apis, bindings, own }: Parts,
  found: Findings,
): Promise<void> {
  const tokens = asksForTokens(apis) || config.jwt_secret !== undefined
  for (const check of checkKeys(config, { tokens })) await found.from(check)
  await found.from(() => requireSharedPort(config))
  if (config.with_async) {
    await found.from(() => storeFolder(config.broker_url, stateFolder(config)))
    // Executors also import what operations are bound to that no server serves.
    await found.from(() =>
      importBoundModules(
        apis.map((api) => api.file),
        config.folder,
      ),
    )
  } else {
    const idle = idleTasks(config)
    if (idle !== undefined) found.add('warning', 'ASYNC_OFF', [{ file: config.file, message: idle }])
  }
  if (bindings !== undefined) await found.from(() => route(config, { apis, bindings, own }))
}

/**
 * Whether the router takes all routes. Tokens would be verified with a secret of no use: what there is to say of the real one has been said. Plugins that
 * `service.ts` registers may well open connections, so they are left out.
 */
async function route(config: Config, service: LoadedService): Promise<void> {
  const settings = { ...config, jwt_secret: 'no token is verified with this one' }
  const options = httpOptions(settings, service, { engine: undefined, runtime: undefined })
  const http = await buildHttp({ ...options, plugins: undefined })
  await http.stop()
}

/** Collects what a start would end with, each thing once. */
class Findings {
  readonly #findings = new Map<string, Finding>()
  #excused: readonly string[] = []

  /** Files that are missing only because of what has been found: who misses them is at no fault. */
  excuse(files: readonly string[]): void {
    this.#excused = files
  }

  /** What `load` gives; undefined where it throws, which then is a finding. */
  async from<T>(load: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await load()
    } catch (error) {
      const faults = error instanceof SetupError ? error.faults : [{ message: asError(error).message }]
      this.add('error', codeOf(error) ?? 'UNEXPECTED', faults)
      return undefined
    }
  }

  add(severity: Severity, rule: string, faults: readonly Fault[]): void {
    for (const fault of faults) {
      const { file, line, column, message } = fault
      if (this.#excused.some((missing) => message.includes(missing))) continue
      const key = JSON.stringify([file, line, column, message])
      this.#findings.set(key, {
        severity,
        rule,
        ...(file && { file }),
        ...(line && { line }),
        ...(column && { column }),
        message,
      })
    }
  }

  get sorted(): readonly Finding[] {
    return [...this.#findings.values()].toSorted(
      (one, other) => (one.file ?? '').localeCompare(other.file ?? '') || (one.line ?? 0) - (other.line ?? 0),
    )
  }
}
