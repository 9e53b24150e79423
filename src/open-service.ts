import { randomUUID } from 'node:crypto'
import { asyncOff } from './async-off.ts'
import { loadConfig, useConfig } from './config.ts'
import { type Context, contextOf, type User, withContext } from './core/context.ts'
import { installReporter } from './core/reporting.ts'
import { endOwn, lastReports, reporterOf } from './reporters.ts'
import { defaultUser, enableTasks, loadService } from './service.ts'
import { startHook } from './service-file.ts'
import { openStore } from './store.ts'
import { installRuntime, type TaskRuntime } from './tasks/runtime.ts'
import { dropScope, takeStaged } from './tasks/staging.ts'

export interface OpenServiceOptions {
  /** The service's folder. Default: the current one. */
  readonly folder?: string
  /** Whom the script acts for: what `currentUser()` says in it and in its tasks. Default `default_user_id`, or nobody. */
  readonly user?: User
}

/** A service opened by a script, to fire its tasks and wait for them. */
export interface OpenedService extends AsyncDisposable {
  /**
   * Runs `fn` in a scope and context of its own: what it fires is stored when it has returned, and dropped if it throws.
   * @throws StoreError when that can't be stored, and whatever `fn` throws.
   */
  run<T>(fn: () => T | Promise<T>): Promise<T>
  /** Closes the store. Also done by `await using`. */
  close(): Promise<void>
}

/**
 * Opens a service in a script: its configuration, models, tasks and store, without server and worker.
 * @throws SetupError for mistakes in its files, `SERVICE_START_FAILED` where its `onStart` throws, `ASYNC_OFF` without `with_async: true`; StoreError.
 */
export async function openService(options: OpenServiceOptions = {}): Promise<OpenedService> {
  const config = useConfig(loadConfig(options.folder === undefined ? {} : { folder: options.folder }))
  const { own } = await loadService(config)
  if (!config.with_async) throw asyncOff(config)
  const engine = await openStore(config, 'server')
  const runtime = enableTasks(config, () => Promise.resolve(engine))
  const reporter = reporterOf(config, own)
  const closeStore = async () => {
    await lastReports(reporter)
    installReporter(undefined)
    await runtime?.idle()
    installRuntime(undefined)
    await engine.close()
  }
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= endOwn(own, 'script', reporter).then(closeStore)
    return closed
  }
  await startHook(own, 'script').catch(async (error: unknown) => {
    await closeStore()
    throw error
  })
  const user = options.user ?? defaultUser(config)
  return {
    run: (fn) => runInScope(fn, contextOf(randomUUID(), user), runtime),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Runs `fn` in a context and its scope: what it fires is stored when it has returned, and dropped if it throws. */
export async function runInScope<T>(
  fn: () => T | Promise<T>,
  context: Context,
  runtime: TaskRuntime | undefined,
): Promise<T> {
  try {
    const result = await withContext(context, fn)
    const staged = takeStaged(context.scope)
    if (staged.length > 0) await runtime?.store(staged)
    return result
  } catch (error) {
    dropScope(context.scope, context.callId, context.user?.sub)
    throw error
  }
}
