import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Config } from './config.ts'
import type { User } from './core/context.ts'
import { asError, type Fault, SetupError, StoreError } from './core/errors.ts'
import { emit } from './core/events.ts'
import type { Engine } from './engines/engine.ts'
import { ownHandlers } from './http/own-handlers.ts'
import { sealKeys } from './keys.ts'
import { loadClients } from './service-clients.ts'
import { loadServiceFile, type ServiceFile } from './service-file.ts'
import type { Api } from './spec/api.ts'
import { type Bindings, bindHandlers, type Handler } from './spec/bindings.ts'
import { importBoundModules } from './spec/bound-modules.ts'
import { generateIfStale } from './spec/generate.ts'
import { importFault } from './spec/import-fault.ts'
import { loadApis, specFiles } from './spec/load.ts'
import { models } from './spec/model-registry.ts'
import { SpecNotes } from './spec/notes.ts'
import { importParents } from './spec/parents.ts'
import { stateFolder } from './state-folder.ts'
import { Outbox } from './tasks/outbox.ts'
import { registry } from './tasks/registry.ts'
import { installRuntime, type TaskRuntime } from './tasks/runtime.ts'
import { Seal } from './tasks/seal.ts'

/** A service's files, loaded: what servers, executors and scripts have in common. */
export interface LoadedService {
  readonly apis: readonly Api[]
  readonly bindings: Bindings
  /** What `service.ts` says. */
  readonly own: ServiceFile
}

/**
 * Loads `service.ts`, specs, models, the modules the specs bind, and `tasks/`. `notes` of specs are kept below `.macaron/` unless given.
 * @throws SetupError with every fault found, each with file and line.
 */
export async function loadService(config: Config, notes = notesOf(config)): Promise<LoadedService> {
  const own = await loadServiceFile(config.folder)
  const apis = await loadApis(apisFolder(config), { basePath: config.base_path })
  for (const api of apis) await generateIfStale(api.file, undefined, notes)
  models.addApis(apis)
  await loadClients(config, apis)
  const bindings = await bindHandlers(apis, config.folder, handlersOf(config, apis, own))
  await importParents(apis, config.folder)
  await importTasks(config.folder)
  return { apis, bindings, own }
}

type OwnSettings = Pick<Config, 'name' | 'version' | 'env' | 'report_call_exceeding_ms'>

/** Macaron's own functions, to which PyMacaron's specs are bound. */
export function handlersOf(
  { name, version, env, report_call_exceeding_ms }: OwnSettings,
  apis: readonly Api[],
  { definition }: ServiceFile,
): ReadonlyMap<string, Handler> {
  const { onPing } = definition
  return ownHandlers({ name, version, env, apis, onPing, slowCallMs: report_call_exceeding_ms })
}

/**
 * Loads what running tasks needs: `service.ts`, the modules the specs bind, and `tasks/`. The specs themselves are read again when a model of theirs is first made.
 * @throws SetupError as above.
 */
export async function loadTasks(config: Config): Promise<ServiceFile> {
  const own = await loadServiceFile(config.folder)
  const files = await specFiles(apisFolder(config))
  const notes = notesOf(config)
  for (const file of files) {
    await generateIfStale(file, undefined, notes)
    models.define(file, {})
  }
  await loadClients(config)
  await importBoundModules(files, config.folder, notes)
  await importTasks(config.folder)
  return own
}

/** Beside the compiled code, which is kept for the same reason. */
function notesOf(config: Config): SpecNotes {
  return new SpecNotes(join(stateFolder(config), 'cache', 'specs'))
}

function apisFolder(config: Config): string {
  return join(config.folder, 'apis')
}

/**
 * Imports the modules in the service's `tasks/`, which declare tasks that no operation's module imports.
 * @throws SetupError `TASK_MODULE_BROKEN` with all that can't be imported.
 */
export async function importTasks(root: string): Promise<void> {
  const folder = join(root, 'tasks')
  if (!existsSync(folder)) return
  const faults: Fault[] = []
  for (const name of readdirSync(folder).toSorted()) {
    if (!/\.[mc]?[jt]s$/.test(name) || /\.(d|test|spec)\.[mc]?ts$/.test(name) || name.startsWith('.'))
      continue
    const file = join(folder, name)
    await import(pathToFileURL(file).href).catch((error: unknown) => {
      faults.push(importFault(file, asError(error), root))
    })
  }
  if (faults.length > 0) throw new SetupError('TASK_MODULE_BROKEN', faults)
}

/**
 * Lets this process fire tasks: `engine` is asked for at the first need. Without `with_async` firing is refused, and a service that declares tasks is
 * told so.
 */
export function enableTasks(config: Config, engine: () => Promise<Engine>): TaskRuntime | undefined {
  if (!config.with_async) {
    installRuntime('off')
    const message = idleTasks(config)
    if (message !== undefined) emit('notice', { message })
    return undefined
  }
  const seal = sealOf(config)
  let opened: Engine | undefined
  const outbox = new Outbox({
    sealAll: (batch) => seal().sealAll(batch),
    enqueue: async (batch) => {
      opened ??= await engine()
      return opened.enqueue(batch)
    },
    overlaps: () => opened?.abilities.overlaps === true,
  })
  const runtime: TaskRuntime = {
    get seal() {
      return seal()
    },
    models,
    maxBytes: config.max_task_bytes,
    contextToken: config.context_token,
    store: (messages) => outbox.store(messages),
    idle: () => outbox.idle(),
    engine,
  }
  installRuntime(runtime)
  return runtime
}

/** A key that has to be made waits for the folder it is kept in; every other fault of the keys ends the start. */
function sealOf(config: Config): () => Seal {
  let seal: Seal | undefined
  const known = () => {
    seal ??= new Seal(sealKeys(config))
    return seal
  }
  try {
    known()
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
  }
  return known
}

/** What to say of a service that declares tasks without `with_async`. */
export function idleTasks(config: Config): string | undefined {
  const names = registry.names()
  if (names.length === 0) return undefined
  return `This service declares tasks (${names.join(', ')}) but runs none: set with_async: true in ${config.file}`
}

/** Who callers without a token are. */
export function defaultUser({ default_user_id }: Pick<Config, 'default_user_id'>): User | undefined {
  return default_user_id === undefined ? undefined : { sub: default_user_id }
}
