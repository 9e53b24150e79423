import { join } from 'node:path'
import type { Config } from './config.ts'
import type { Engine } from './engines/engine.ts'
import { type OpenOptions, openEngine, openEngineWhenPossible, storeFolder } from './engines/open.ts'
import { requireSealKeys } from './keys.ts'
import { stateFolder } from './state-folder.ts'

/** Where workers and their executors say that they are alive: beside the tasks, so that whoever uses the same store sees the same. */
export function aliveFolder(config: Config): string {
  return join(storeFolder(config.broker_url, stateFolder(config)), 'alive')
}

/**
 * Opens the task store a configuration names. `worker`: this process consumes, or only reads and acts on tasks, and serves no requests.
 * @throws SetupError `SEAL_KEY_MISSING`; what the engine's opening throws.
 */
export async function openStore(config: Config, role: Role): Promise<Engine> {
  return openEngine(config.broker_url, optionsOf(config, role))
}

/** The same for processes that must run although the store can't be opened now: until it can, whatever asks it for something is told why it can't. */
export function openStoreWhenPossible(config: Config): Engine {
  return openEngineWhenPossible(config.broker_url, optionsOf(config, 'server'))
}

type Role = OpenOptions['role']

function optionsOf(config: Config, role: Role): OpenOptions {
  requireSealKeys(config)
  return { folder: stateFolder(config), service: config.name, sync: config.store_sync, role }
}
