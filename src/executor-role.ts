import { asyncOff } from './async-off.ts'
import type { Config } from './config.ts'
import type { Engine } from './engines/engine.ts'
import { endOwn, reporterOf } from './reporters.ts'
import { enableTasks, loadTasks } from './service.ts'
import { startHook } from './service-file.ts'
import { openStoreWhenPossible } from './store.ts'
import { registry } from './tasks/registry.ts'
import type { ExecutorService } from './worker/executor.ts'

/** What an executor process loads: the user's modules, no HTTP, and the store only when a task asks for it. */
export async function loadExecutor(config: Config): Promise<ExecutorService & { close(): Promise<void> }> {
  let engine: Engine | undefined
  const runtime = enableTasks(config, () => {
    engine ??= openStoreWhenPossible(config)
    return Promise.resolve(engine)
  })
  if (runtime === undefined) throw asyncOff(config)
  const own = await loadTasks(config)
  const reporter = reporterOf(config, own)
  await startHook(own, 'executor')
  // What code fires that goes on after its attempt is stored by this process itself.
  const close = async () => {
    await endOwn(own, 'executor', reporter)
    await runtime.idle()
    await engine?.close()
  }
  return { tasks: registry, runtime, reporter, close }
}
