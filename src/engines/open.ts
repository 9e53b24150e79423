import { dirname, resolve } from 'node:path'
import { SetupError } from '../core/errors.ts'
import { bullmqAbilities } from './bullmq/abilities.ts'
import { isRedis, readAddress, redisForms } from './bullmq/address.ts'
import type { Engine } from './engine.ts'
import { sqliteAbilities } from './sqlite/abilities.ts'
import type { SqliteOptions } from './sqlite/engine.ts'
import { WaitingEngine } from './waiting.ts'

/** From a URL to an engine: the only place that knows which there are. Each is loaded when it is opened. */

export interface OpenOptions extends SqliteOptions {
  /** The service's name. */
  readonly service: string
  /** On Redis: how many replicas must have a task before it counts as stored. Default 0. */
  readonly replicas?: number
}

/**
 * Opens the engine that `url` names. `sqlite:` is the embedded store in `options.folder` (the service's `.macaron/`), `sqlite:<folder>` the one in
 * another folder, relative to the service's; `redis://…` and its like are tasks on Redis.
 * @throws SetupError `BROKER_UNSUPPORTED` for any other URL, `BROKER_INVALID`; what the engine's own opening throws.
 */
export async function openEngine(url: string, options: OpenOptions): Promise<Engine> {
  return openerOf(url, options).open()
}

/**
 * The same for a process that must run without the store too: an engine that goes on trying to open it.
 * @throws SetupError as above.
 */
export function openEngineWhenPossible(url: string, options: OpenOptions): Engine {
  return new WaitingEngine(openerOf(url, options))
}

/** Whether other machines can share the tasks that `url` names. */
export function isShared(url: string): boolean {
  return isRedis(url)
}

/**
 * The folder that tells which workers and executors are alive; with the embedded store it holds the tasks too. `folder` is the service's `.macaron/`.
 * @throws SetupError as above.
 */
export function storeFolder(url: string, folder: string): string {
  if (isRedis(url)) {
    readAddress(url)
    return folder
  }
  if (!url.startsWith(sqlite)) throw unsupported(url)
  const path = url.slice(sqlite.length)
  return path === '' ? folder : resolve(dirname(resolve(folder)), path)
}

function openerOf(url: string, options: OpenOptions): ConstructorParameters<typeof WaitingEngine>[0] {
  const folder = storeFolder(url, options.folder)
  if (!isRedis(url)) return { abilities: sqliteAbilities, open: () => openEmbedded({ ...options, folder }) }
  return { abilities: bullmqAbilities, open: () => openOnRedis(url, { ...options, folder }) }
}

/** Opens the embedded store that serves as a spool. @throws what its opening throws. */
export function openSpool(options: SqliteOptions): Promise<Engine> {
  return openEmbedded(options)
}

async function openEmbedded(options: SqliteOptions): Promise<Engine> {
  const { openSqlite } = await import('./sqlite/engine.ts')
  return openSqlite(options)
}

async function openOnRedis(url: string, options: OpenOptions): Promise<Engine> {
  const { service, folder, replicas = 0, now = Date.now } = options
  const { openBullmq } = await import('./bullmq/engine.ts')
  return openBullmq({ url, service, folder, replicas, now })
}

const sqlite = 'sqlite:'

/** Without what follows the scheme, which may hold a password. */
function unsupported(url: string): SetupError {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? 'a URL without a scheme'
  const message = `broker_url: ${scheme} is not supported. Supported are sqlite: (the embedded store in the service's .macaron/), sqlite:<folder> (the same elsewhere) and ${redisForms}.`
  return new SetupError('BROKER_UNSUPPORTED', [{ message }])
}
