import type { Cluster, Redis } from 'ioredis'
import { addAll, completeAll, deleteAll, takeAll } from './bulk-scripts.ts'

/**
 * What BullMQ has no verb for, as scripts that Redis runs as one step. They know its lists (`wait`, `prioritized`, `delayed`, `active`, `failed`), its locks, its count of starts and its events.
 */

export type Script = (keys: readonly string[], values: readonly (string | number)[]) => Promise<unknown>

export interface Scripts {
  /** Cancels a job that waits; BullMQ can only remove it, record and all. Answers 1, 0 where it doesn't wait, -1 where there is none. */
  readonly cancel: Script
  /** Takes the first suspect; BullMQ takes only the job that is the next in line. Answers its id and fields, or null. */
  readonly takeSuspect: Script
  /** Writes an outcome onto its job if the lock is the lease's; BullMQ's `updateData` asks for no lock. Answers 1 or 0. */
  readonly writeIntent: Script
  /** Locks a job again whose lock has run out, if nobody has taken it since; BullMQ renews only what is locked. Answers 1 or 0. */
  readonly lockAgain: Script
  /** Says that a worker lives, to a full Redis too. */
  readonly announce: Script
  /** For many jobs in one step what BullMQ does for one: see there. */
  readonly addAll: Script
  readonly takeAll: Script
  readonly completeAll: Script
  readonly deleteAll: Script
}

export function defineScripts(client: Redis | Cluster): Scripts {
  return {
    cancel: define(client, 'macaronCancel', { numberOfKeys: 8, lua: cancel }),
    takeSuspect: define(client, 'macaronTakeSuspect', { numberOfKeys: 3, lua: takeSuspect }),
    writeIntent: define(client, 'macaronWriteIntent', { numberOfKeys: 2, lua: writeIntent }),
    lockAgain: define(client, 'macaronLockAgain', { numberOfKeys: 4, lua: lockAgain }),
    announce: define(client, 'macaronAnnounce', { numberOfKeys: 2, lua: announce }),
    addAll: define(client, 'macaronAddAll', { numberOfKeys: 6, lua: addAll }),
    takeAll: define(client, 'macaronTakeAll', { numberOfKeys: 6, lua: takeAll }),
    completeAll: define(client, 'macaronCompleteAll', { numberOfKeys: 4, lua: completeAll }),
    deleteAll: define(client, 'macaronDeleteAll', { numberOfKeys: 5, lua: deleteAll }),
  }
}

function define(
  client: Redis | Cluster,
  name: string,
  script: { readonly numberOfKeys: number; readonly lua: string },
): Script {
  client.defineCommand(name, script)
  // What defineCommand has just put there, which its types can't say.
  const commands = client as unknown as Readonly<
    Record<string, (...values: readonly (string | number)[]) => Promise<unknown>>
  >
  return async (keys, values) => commands[name]?.(...keys, ...values)
}

// KEYS: job, wait, prioritized, delayed, failed, cancelled, expires, events. ARGV: id, now, when it may go.
const cancel = `
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if redis.call('HEXISTS', KEYS[1], 'intent') == 1 then return 0 end
local id = ARGV[1]
local found = redis.call('ZREM', KEYS[4], id) + redis.call('ZREM', KEYS[3], id)
if found == 0 then found = redis.call('LREM', KEYS[2], 1, id) end
if found == 0 then return 0 end
redis.call('HSET', KEYS[1], 'finishedOn', ARGV[2], 'cancelled', ARGV[2], 'failedReason', 'cancelled')
redis.call('ZADD', KEYS[5], ARGV[2], id)
redis.call('ZADD', KEYS[6], ARGV[2], id)
redis.call('ZADD', KEYS[7], ARGV[3], id)
redis.call('XADD', KEYS[8], 'MAXLEN', '~', 10000, '*', 'event', 'failed', 'jobId', id, 'failedReason', 'cancelled', 'prev', 'waiting')
return 1`

// KEYS: delayed, active, events. ARGV: what job keys begin with, least score, now, token, duration of the lock, owner. As moveToActive does it.
const takeSuspect = `
local id = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[2], '+inf', 'LIMIT', 0, 1)[1]
if not id then return false end
local job = ARGV[1] .. id
redis.call('ZREM', KEYS[1], id)
redis.call('LPUSH', KEYS[2], id)
redis.call('SET', job .. ':lock', ARGV[4], 'PX', ARGV[5])
redis.call('HSET', job, 'processedOn', ARGV[3], 'pb', ARGV[6])
redis.call('HINCRBY', job, 'ats', 1)
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 10000, '*', 'event', 'active', 'jobId', id, 'prev', 'delayed')
return { id, redis.call('HGETALL', job) }`

// KEYS: job, its lock. ARGV: token, intent, bookkeeping.
const writeIntent = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'intent', ARGV[2], 'progress', ARGV[3])
return 1`

// KEYS: job, its lock, active, stalled. ARGV: id, token, duration of the lock, how often it was started when it was taken.
const lockAgain = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
if redis.call('HGET', KEYS[1], 'ats') ~= ARGV[4] then return 0 end
if not redis.call('LPOS', KEYS[3], ARGV[1]) then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
redis.call('SREM', KEYS[4], ARGV[1])
return 1`

// KEYS: what it says of itself, names of workers. ARGV: name, that, for how long. A full Redis deletes, and does the rest of a script then.
const announce = `
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return redis.call('SADD', KEYS[2], ARGV[1])`
