import { StoreError } from '../../core/errors.ts'
import { emit } from '../../core/events.ts'
import type { Link } from './link.ts'
import { unreplicated } from './replicas.ts'

/** What a Redis must be fit for before tasks are trusted to it, and what "stored" means on it. */

const oldest = [6, 2]

/**
 * Refuses a Redis that can't keep tasks, and says what "stored" means on this one. Resolves with what is not as it should be.
 * @throws StoreError `STORE_TOO_OLD`, `STORE_EVICTS`, `STORE_UNWRITABLE`.
 */
export async function checkTerms(link: Link, replicas = 0): Promise<readonly string[]> {
  const { where } = link
  const facts = readFacts(await link.use((client) => client.info()))
  const version = facts.get('redis_version') ?? ''
  if (isTooOld(version)) throw tooOld(where, version)
  if (facts.get('role') === 'slave') throw isReplica(where, facts)
  const policy = facts.get('maxmemory_policy') ?? 'noeviction'
  if (policy !== 'noeviction' && facts.get('maxmemory') !== '0') throw evicts(where, policy)
  const settings = await readSettings(link)
  const name = facts.has('valkey_version') ? `Valkey ${facts.get('valkey_version')}` : `Redis ${version}`
  const durability = durabilityOf(facts, settings, replicas)
  emit('store.opened', { where, version: name, ...durability })
  const count = Number(facts.get('connected_slaves') ?? 0)
  const aheadMs = await clockAhead(link)
  const advice = [
    ...(Math.abs(aheadMs) < clocksApartMs ? [] : [clocksDiffer(where, aheadMs)]),
    ...(policy === 'noeviction' ? [] : [wouldEvict(where, policy)]),
    ...(count < replicas ? [unreplicated(where, count, replicas).message] : []),
  ]
  for (const message of advice) emit('notice', { message })
  return durability.durable ? advice : [`${where}: ${durability.stored}`, ...advice]
}

interface Durability {
  /** What "stored" means. */
  readonly stored: string
  /** Whether it survives a crash of Redis. */
  readonly durable: boolean
}

interface PersistenceSettings {
  readonly appendfsync: string | undefined
  /** When snapshots are made; empty: never. */
  readonly save: string | undefined
}

function durabilityOf(
  facts: ReadonlyMap<string, string>,
  settings: PersistenceSettings,
  wanted: number,
): Durability {
  const failover = failoverLoses(Number(facts.get('connected_slaves') ?? 0), wanted)
  if (facts.get('aof_enabled') === '1')
    return { stored: `${appended(settings.appendfsync)}${failover}`, durable: true }
  if (settings.save === '')
    return {
      stored: 'nothing is persisted: a restart of Redis loses every task. Set appendonly yes.',
      durable: false,
    }
  const snapshots =
    settings.save === undefined
      ? 'only snapshots are made, if any'
      : `only snapshots are made (save ${settings.save})`
  return {
    stored: `${snapshots}: a crash of Redis loses what was stored since the last. Set appendonly yes.`,
    durable: false,
  }
}

function failoverLoses(replicas: number, wanted: number): string {
  if (wanted > 0) return ` A failover loses nothing either (redis_wait ${wanted}).`
  return replicas > 0 ? ' A failover can lose what the replica had not got yet.' : ''
}

function appended(appendfsync: string | undefined): string {
  if (appendfsync === 'always') return 'it survives a power cut.'
  if (appendfsync === 'no')
    return 'it survives a crash of Redis; a power cut can lose half a minute (appendfsync no).'
  return 'it survives a crash of Redis; a power cut can lose the last second (appendfsync everysec).'
}

/** By how many ms this machine's clock is ahead of Redis'. */
async function clockAhead(link: Link): Promise<number> {
  const asked = Date.now()
  const [seconds, micros] = await link.use((client) => client.time())
  const answered = Date.now()
  const theirs = Number(seconds) * 1_000 + Number(micros) / 1_000
  if (theirs < asked) return asked - theirs
  return Math.min(0, answered - theirs)
}

const clocksApartMs = 2_000

function clocksDiffer(where: string, aheadMs: number): string {
  const seconds = Math.round(Math.abs(aheadMs) / 1_000)
  return `The clock of this machine is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} that of ${where}: delayed tasks start, and settled ones are deleted, so much too ${aheadMs > 0 ? 'early' : 'late'}. Synchronize them (NTP).`
}

/** Those that are offered as a service often forbid CONFIG. */
async function readSettings(link: Link): Promise<PersistenceSettings> {
  const read = async (name: string) => {
    const reply = await link.use((client) => client.config('GET', name)).catch(() => undefined)
    const value: unknown = Array.isArray(reply) ? reply[1] : undefined
    return typeof value === 'string' ? value : undefined
  }
  return { appendfsync: await read('appendfsync'), save: await read('save') }
}

function readFacts(info: string): ReadonlyMap<string, string> {
  const lines = info.split(/\r?\n/).filter((line) => line.includes(':') && !line.startsWith('#'))
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const),
  )
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [leastMajor = 0, leastMinor = 0] = oldest
  return major < leastMajor || (major === leastMajor && minor < leastMinor)
}

function tooOld(where: string, version: string): StoreError {
  return new StoreError(
    'STORE_TOO_OLD',
    `${where} is version ${version || 'unknown'}; tasks need Redis ${oldest.join('.')} or newer, or Valkey.`,
  )
}

function isReplica(where: string, facts: ReadonlyMap<string, string>): StoreError {
  const master = `${facts.get('master_host')}:${facts.get('master_port')}`
  return new StoreError(
    'STORE_UNWRITABLE',
    `${where} is a replica of ${master}: what is written there is refused or lost. Give the master in broker_url; where it changes, the sentinels (redis+sentinel://).`,
  )
}

function wouldEvict(where: string, policy: string): string {
  return `${where}: maxmemory-policy is ${policy}, which takes tasks away as soon as someone sets maxmemory. Set it to noeviction.`
}

function evicts(where: string, policy: string): StoreError {
  return new StoreError(
    'STORE_EVICTS',
    `${where} takes tasks away when its memory is full (maxmemory-policy ${policy}). Give it \`CONFIG SET maxmemory-policy noeviction\`, and the same in its configuration file.`,
  )
}
