import { join } from 'node:path'
import type { Config } from './config.ts'
import type { Engine } from './engines/engine.ts'
import { openEngine, openEngineWhenPossible, storeFolder } from './engines/open.ts'
import { stateFolder } from './state-folder.ts'

/** Where workers and their executors say that they are alive: beside the tasks, so that whoever uses the same store sees the same. */
export function aliveFolder(config: Config): string {
  return join(storeFolder(config.broker_url, stateFolder(config)), 'alive')
}

/** Opens the task store a configuration names. `worker`: this process consumes, or only reads and acts on tasks, and serves no requests. */
export function openStore(config: Config, role: 'server' | 'worker'): Promise<Engine> {
  return openEngine(config.broker_url, { folder: stateFolder(config), sync: config.store_sync, role })
}

/** The same for processes that must run although the store can't be opened now: until it can, whatever asks it for something is told why it can't. */
export function openStoreWhenPossible(config: Config): Engine {
  const options = { folder: stateFolder(config), sync: config.store_sync, role: 'server' } as const
  return openEngineWhenPossible(config.broker_url, options)
}
