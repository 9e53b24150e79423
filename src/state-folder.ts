import { join } from 'node:path'
import type { Config } from './config.ts'

/** Where a service keeps what it makes itself: keys, and unless `broker_url` names another folder, tasks and locks. */
export function stateFolder(config: Pick<Config, 'folder'>): string {
  return join(config.folder, '.macaron')
}
