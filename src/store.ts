import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config.ts'
import { asError } from './core/errors.ts'
import { emit } from './core/events.ts'
import type { Engine } from './engines/engine.ts'
import {
  isShared,
  type OpenOptions,
  openEngine,
  openEngineWhenPossible,
  openSpool,
  storeFolder,
} from './engines/open.ts'
import { Spool } from './engines/spool/spool.ts'
import { SpooledEngine } from './engines/spool/spooled.ts'
import { DamageMark } from './engines/sqlite/damage.ts'
import { whyNotKept } from './engines/sqlite/persistence.ts'
import { ownSealKey, requireSealKeys } from './keys.ts'
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

/** Opens the store at `url`, whatever the configuration names; for a process that is soon over. */
export async function openStoreAt(
  config: Config,
  url: string,
): Promise<{ engine: Engine } & AsyncDisposable> {
  // What a power cut takes back is done again.
  const engine = await openEngine(url, { ...optionsOf(config, 'worker'), sync: 'normal' })
  return { engine, [Symbol.asyncDispose]: () => engine.close() }
}

/** The same with the spool's tasks; `forwards`: takes them to the store, for as long as this process lives. */
export async function openStoreAndSpool(config: Config, forwards = false): Promise<Engine> {
  const store = await openStore(config, 'worker')
  if (forwards) tellOfOwnKey(config)
  const spool = spoolOf(config, forwards)
  return spool === undefined ? store : new SpooledEngine({ store, spool, patienceMs: config.spool_after })
}

/**
 * The same for processes that must run although the store can't be opened now: until it can, what is fired goes to the spool where there is one, and whatever
 * else it is asked for is told why not.
 */
export function openStoreWhenPossible(config: Config): Engine {
  const store = openEngineWhenPossible(config.broker_url, optionsOf(config, 'server'))
  tellOfOwnKey(config)
  const spool = spoolOf(config, true)
  if (spool === undefined) tellOfLeft(config).catch(unreadableSpool)
  return spool === undefined ? store : new SpooledEngine({ store, spool, patienceMs: config.spool_after })
}

/** What keeps tasks on this machine while Redis can't take them; undefined where there is none. `forwards`: this process takes them there. */
export function spoolOf(config: Config, forwards: boolean): Spool | undefined {
  if (!isShared(config.broker_url) || config.spool === 'off') return undefined
  const folder = join(stateFolder(config), 'spool')
  const why = config.spool === 'auto' ? whyNotKept(folder) : undefined
  if (why !== undefined) {
    if (forwards) emit('notice', { message: `${noSpool}: ${folder} is ${why}. ${whatToDo}` })
    return undefined
  }
  const damage = new DamageMark(join(folder, 'tasks.db'))
  const { store_sync: sync, spool_limit: maxBytes, name: onlyFor } = config
  return new Spool({
    open: () => openSpool({ folder, sync, role: 'server', maxBytes, onlyFor }),
    exists: () => existsSync(join(folder, 'tasks.db')),
    isDamaged: () => damage.isSet(),
    forwards,
  })
}

function tellOfOwnKey(config: Config): void {
  const message = ownSealKey(config)
  if (message !== undefined) emit('notice', { message })
}

/** What lies in a spool that this configuration doesn't use runs nowhere. */
async function tellOfLeft(config: Config): Promise<void> {
  const folder = join(stateFolder(config), 'spool')
  if (!existsSync(join(folder, 'tasks.db'))) return
  const engine = await openSpool({ folder, sync: config.store_sync, role: 'server' })
  const { queued, running } = await engine.counts().finally(() => engine.close())
  if (queued + running === 0) return
  const message = `${queued + running} tasks lie in a spool that is not used any more (${folder}): \`macaron tasks move --from sqlite:${folder}\` brings them to the store that is`
  emit('notice', { message })
}

function unreadableSpool(error: unknown): void {
  emit('notice', {
    message: `What an earlier configuration has left in the spool can't be read: ${asError(error).message}`,
  })
}

const noSpool = 'There is no spool for what Redis can not take'
const whatToDo =
  'Put .macaron/ on a volume that outlives the process, or set spool: on, or spool: off to silence this.'

type Role = OpenOptions['role']

function optionsOf(config: Config, role: Role): OpenOptions {
  requireSealKeys(config)
  const { name: service, store_sync: sync, redis_wait: replicas } = config
  return { folder: stateFolder(config), service, sync, replicas, role }
}
