import type { Config } from './config.ts'
import type { Engine } from './engines/engine.ts'
import { asyncOff, enableTasks, loadTasks } from './service.ts'
import { openStore } from './store.ts'
import { registry } from './tasks/registry.ts'
import type { ExecutorService } from './worker/executor.ts'

/** What an executor process loads: the user's modules, no HTTP, and the store only when a task asks for it. */
export async function loadExecutor(config: Config): Promise<ExecutorService> {
  let engine: Promise<Engine> | undefined
  const runtime = enableTasks(config, () => {
    engine ??= openStore(config, 'server')
    return engine
  })
  if (runtime === undefined) throw asyncOff(config)
  await loadTasks(config)
  return { tasks: registry, runtime }
}
