import { dirname, resolve } from 'node:path'
import { SetupError } from '../core/errors.ts'
import type { Engine } from './engine.ts'
import { sqliteAbilities } from './sqlite/abilities.ts'
import type { SqliteOptions } from './sqlite/engine.ts'
import { WaitingEngine } from './waiting.ts'

/** From a URL to an engine: the only place that knows which there are. Each is loaded when it is opened. */

/**
 * Opens the engine that `url` names. `sqlite:` is the embedded store in `options.folder` (the service's `.macaron/`), `sqlite:<folder>` the one in
 * another folder, relative to the service's.
 * @throws SetupError `BROKER_UNSUPPORTED` for any other URL; what the engine's own opening throws.
 */
export async function openEngine(url: string, options: SqliteOptions): Promise<Engine> {
  const folder = storeFolder(url, options.folder)
  return openEmbedded({ ...options, folder })
}

/**
 * The same for a process that must run without the store too: an engine that goes on trying to open it.
 * @throws SetupError as above.
 */
export function openEngineWhenPossible(url: string, options: SqliteOptions): Engine {
  const folder = storeFolder(url, options.folder)
  return new WaitingEngine({ abilities: sqliteAbilities, open: () => openEmbedded({ ...options, folder }) })
}

/**
 * The folder that holds the tasks and tells which workers and executors are alive; `folder` is the service's `.macaron/`.
 * @throws SetupError as above.
 */
export function storeFolder(url: string, folder: string): string {
  if (!url.startsWith(sqlite)) throw unsupported(url)
  const path = url.slice(sqlite.length)
  return path === '' ? folder : resolve(dirname(resolve(folder)), path)
}

async function openEmbedded(options: SqliteOptions): Promise<Engine> {
  const { openSqlite } = await import('./sqlite/engine.ts')
  return openSqlite(options)
}

const sqlite = 'sqlite:'

/** Without what follows the scheme, which may hold a password. */
function unsupported(url: string): SetupError {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? 'a URL without a scheme'
  const message = `broker_url: ${scheme} is not supported. Supported are sqlite: (the embedded store in the service's .macaron/) and sqlite:<folder> (the same elsewhere).`
  return new SetupError('BROKER_UNSUPPORTED', [{ message }])
}
