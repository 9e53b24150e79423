import type { Config } from './config.ts'
import type { Engine } from './engines/engine.ts'
import { asyncOff, enableTasks, loadTasks } from './service.ts'
import { openStore } from './store.ts'
import { registry } from './tasks/registry.ts'
import type { ExecutorService } from './worker/executor.ts'

/** What an executor process loads: the user's modules, no HTTP, and the store only when a task asks for it. */
export async function loadExecutor(config: Config): Promise<ExecutorService & { close(): Promise<void> }> {
  let engine: Promise<Engine> | undefined
  const runtime = enableTasks(config, () => {
    engine ??= openStore(config, 'server')
    return engine
  })
  if (runtime === undefined) throw asyncOff(config)
  await loadTasks(config)
  // What code fires that goes on after its attempt is stored by this process itself.
  const close = async () => {
    await runtime.idle()
    // One that could not be opened has said so to whoever asked for it.
    const opened = await engine?.catch(() => undefined)
    await opened?.close()
  }
  return { tasks: registry, runtime, close }
}
