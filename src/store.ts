import { join } from 'node:path'
import type { Config } from './config.ts'
import type { Engine } from './engines/engine.ts'
import { openEngine } from './engines/open.ts'

/** Where a service keeps what it makes itself: keys, tasks, locks. */
export function stateFolder(config: Pick<Config, 'folder'>): string {
  return join(config.folder, '.macaron')
}

/** Opens the task store a configuration names. `worker`: this process consumes, or only reads and acts on tasks, and serves no requests. */
export function openStore(config: Config, role: 'server' | 'worker'): Promise<Engine> {
  return openEngine(config.broker_url, { folder: stateFolder(config), sync: config.store_sync, role })
}
