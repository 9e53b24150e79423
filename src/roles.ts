import { asyncOff } from './async-off.ts'
import type { Config } from './config.ts'
import { type Stoppable, stopAll } from './core/lifecycle.ts'
import type { Reporter } from './core/reporter.ts'
import type { ServiceRole } from './define-service.ts'
import type { Engine } from './engines/engine.ts'
import { type CrashApi, crashApi } from './http/crash-api.ts'
import type { HttpOptions } from './http/options.ts'
import { openHttp } from './http/server.ts'
import { endOwn, lastReports, reporterOf } from './reporters.ts'
import type { Role } from './role.ts'
import { defaultUser, enableTasks, handlersOf, type LoadedService, loadService } from './service.ts'
import { startHook } from './service-file.ts'
import type { Api } from './spec/api.ts'
import type { Bindings } from './spec/bindings.ts'
import { checksOf } from './spec/checks.ts'
import { models } from './spec/model-registry.ts'
import type { SpecNotes } from './spec/notes.ts'
import { openStoreWhenPossible } from './store.ts'
import type { TaskRuntime } from './tasks/runtime.ts'
import { dropScope, takeStaged } from './tasks/staging.ts'
import { verifierOf } from './tokens.ts'
import { trialsOf } from './trials.ts'

/** What a server process is made of. Workers are in `worker-role.ts`, executors in `executor-role.ts`: neither loads what only HTTP needs. */

/**
 * A server process: HTTP, and the store to release tasks to, which need not be there yet: only what fires needs it. Connections come by a port of its
 * own unless `open` says otherwise.
 */
export async function startServer(config: Config, open = openHttp): Promise<Role> {
  const { service, http, stop } = await assembleServer(config, {
    role: 'server',
    openStore: () => openStoreWhenPossible(config),
    openHttp: open,
  })
  return { announce: { port: http.address.port, trials: trialsOf(service.apis) }, stop }
}

/** What a server is put together with: tests give it another store, and no port. */
export interface ServerParts<Http> {
  readonly role: ServiceRole
  /** What is noted of specs. Default: kept below `.macaron/`. */
  readonly notes?: SpecNotes
  /** Asked where the service runs tasks. */
  openStore(): Engine | Promise<Engine>
  openHttp(options: HttpOptions): Promise<Http>
}

/** A server put together. Its `stop` ends all of it, the store last. */
export interface AssembledServer<Http> extends Stoppable {
  readonly service: LoadedService
  readonly runtime: TaskRuntime | undefined
  readonly reporter: Reporter | undefined
  readonly http: Http
}

/** Puts a server together. @throws SetupError for every mistake in the service's files, and what its parts throw. */
export async function assembleServer<Http extends Stoppable>(
  config: Config,
  { role, notes, openStore, openHttp }: ServerParts<Http>,
): Promise<AssembledServer<Http>> {
  const service = await loadService(config, notes)
  const reporter = reporterOf(config, service.own)
  const engine = config.with_async ? await openStore() : undefined
  const runtime = enableTasks(config, () => opened(config, engine))
  const parts: Stoppable[] = [
    { stop: () => closeStore({ engine, runtime }) },
    { stop: () => lastReports(reporter) },
  ]
  try {
    await startHook(service.own, role)
    parts.push({ stop: () => endOwn(service.own, role, reporter) })
    const http = await openHttp(httpOptions(config, service, { engine, runtime, reporter }))
    parts.push(http)
    return { service, runtime, reporter, http, stop: () => stopAll(parts) }
  } catch (error) {
    // What has ended the start is the news, not what else goes wrong with it.
    await stopAll(parts).catch(() => undefined)
    throw error
  }
}

/** After the requests: what they fired late is still on its way. */
async function closeStore({ engine, runtime }: TaskParts): Promise<void> {
  await runtime?.idle()
  await engine?.close()
}

function opened(config: Config, engine: Engine | undefined): Promise<Engine> {
  return engine === undefined ? Promise.reject(asyncOff(config)) : Promise.resolve(engine)
}

interface TaskParts {
  readonly engine: Engine | undefined
  readonly runtime: TaskRuntime | undefined
}

/** What the HTTP side of a service is made with. */
export function httpOptions(
  config: Config,
  { apis, bindings, own }: LoadedService,
  { engine, runtime, reporter }: TaskParts & { readonly reporter?: Reporter | undefined },
): HttpOptions {
  const { file, definition } = own
  const crash = config.crash_endpoints ? crashApi(apis, handlersOf(config, apis, own)) : undefined
  return {
    apis,
    ...(crash === undefined ? { bindings } : { bindings: joined(bindings, crash), ownApis: [crash.api] }),
    checksOf: (api, operation) => checksOf(api, operation, models),
    tokens: asksForTokens(apis) || config.jwt_secret !== undefined ? verifierOf(config) : undefined,
    release: (scope) => (runtime === undefined ? Promise.resolve() : runtime.store(takeStaged(scope))),
    drop: dropScope,
    name: config.name,
    version: config.version,
    env: config.env,
    production: config.production,
    docs: config.docs,
    port: config.port,
    host: config.host,
    reusePort: config.http_workers > 1,
    bodyLimit: config.body_limit,
    fileLimit: config.file_limit,
    uploadLimit: config.upload_limit,
    partLimit: config.part_limit,
    arrivalTimeoutMs: config.arrival_timeout,
    replyCheck: config.reply_check,
    contextHeaders: config.context_headers,
    requestTimeoutMs: config.request_timeout,
    stopTimeoutMs: config.stop_timeout,
    cors: config.cors,
    compress: config.compress,
    slowCallMs: config.report_call_exceeding_ms,
    defaultUser: defaultUser(config),
    reporter,
    errorFormat: definition.errorFormat,
    onPing: definition.onPing,
    plugins:
      file === undefined || definition.register === undefined
        ? undefined
        : { file, register: definition.register },
    health: engine === undefined ? undefined : () => engine.health(),
  }
}

function joined(bindings: Bindings, crash: CrashApi): Bindings {
  return new Map([...bindings, ...crash.bindings])
}

/** Whether any operation that is served asks for a token. */
export function asksForTokens(apis: readonly Api[]): boolean {
  return apis.some(({ operations }) =>
    operations.some(({ served, authenticated }) => served && authenticated),
  )
}
