import { createHash } from 'node:crypto'
import { type Cluster, Command, type Redis } from 'ioredis'
import { asError } from '../../core/errors.ts'
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
  /** Locks a job again whose lock has run out or is its own, if nobody has taken it since; on a full Redis too. BullMQ renews only what is locked, and not there. Answers 1 or 0. */
  readonly lockAgain: Script
  /** Drops entries from a sorted set that have still the score they are given with. */
  readonly dropEntries: Script
  /** Takes a task from two sorted sets if the lock is the lease's. */
  readonly dropIfHeld: Script
  /** Says that a worker lives, to a full Redis too. */
  readonly announce: Script
  /** Keeps BullMQ from looking for stalled jobs, unless that worker has said just now that it lives. */
  readonly onlyInTime: Script
  /** Takes over the lock of a dead worker's job, and counts the death; a job whose lock is another's by now counts none. Answers 1 or 0. */
  readonly takeOver: Script
  /** For many jobs in one step what BullMQ does for one: see there. */
  readonly addAll: Script
  readonly takeAll: Script
  readonly completeAll: Script
  readonly deleteAll: Script
}

export function scriptsOn(client: Redis | Cluster): Scripts {
  return {
    cancel: script(client, cancel),
    takeSuspect: script(client, takeSuspect),
    writeIntent: script(client, writeIntent),
    lockAgain: script(client, lockAgain),
    dropEntries: script(client, dropEntries),
    dropIfHeld: inOrder(client, dropIfHeld),
    announce: script(client, announce),
    onlyInTime: inOrder(client, onlyInTime),
    takeOver: script(client, takeOver),
    addAll: script(client, addAll),
    takeAll: script(client, takeAll),
    completeAll: script(client, completeAll),
    deleteAll: script(client, deleteAll),
  }
}

/** What is longer, in characters, goes with its script, which adds a twentieth at most. */
const sentOnceLength = 32_768

/**
 * Asks for it by its hash, and sends it whole where Redis doesn't know it: since its start, or since somebody has flushed its scripts. What is long is sent whole at
 * once: over a slow network it would take twice as long to be sent again.
 */
function script(client: Redis | Cluster, lua: string): Script {
  const hash = createHash('sha1').update(lua).digest('hex')
  return async (keys, values) => {
    const rest = [keys.length, ...keys, ...values]
    if (lengthOf(values) > sentOnceLength) return await send(client, 'eval', [lua, ...rest])
    try {
      return await send(client, 'evalsha', [hash, ...rest])
    } catch (error) {
      if (!asError(error).message.startsWith('NOSCRIPT')) throw error
      return await send(client, 'eval', [lua, ...rest])
    }
  }
}

/** For a short one that has to come before what is sent after it: sent whole, it need not be sent again. */
function inOrder(client: Redis | Cluster, lua: string): Script {
  return (keys, values) => send(client, 'eval', [lua, keys.length, ...keys, ...values])
}

function lengthOf(values: readonly (string | number)[]): number {
  return values.reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 0), 0)
}

/** What `client[name](...args)` does, but that the command forgets what it was sent with: V8 keeps many commands until the next full collection. */
async function send(client: Redis | Cluster, name: string, args: (string | number)[]): Promise<unknown> {
  const command = new Command(name, args, { replyEncoding: 'utf8' })
  try {
    return await client.sendCommand(command)
  } finally {
    command.args = []
  }
}

// KEYS: job, wait, prioritized, delayed, failed, cancelled, expires, events. ARGV: id, now, when it may go.
const cancel = `
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return -1 end
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

// KEYS: job, its lock, active, stalled. ARGV: id, token, duration of the lock, how often it was started when it was taken. As `announce` it begins with what a full Redis does.
const lockAgain = `
if (redis.call('GET', KEYS[2]) or ARGV[2]) ~= ARGV[2] then return 0 end
if redis.call('HGET', KEYS[1], 'ats') ~= ARGV[4] then return 0 end
if not redis.call('LPOS', KEYS[3], ARGV[1]) then return 0 end
redis.call('SREM', KEYS[4], ARGV[1])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 1`

// KEYS: the set. ARGV: member, score, member, score, …
const dropEntries = `
for i = 1, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) == ARGV[i + 1] then redis.call('ZREM', KEYS[1], ARGV[i]) end
end`

// KEYS: lock, the sets. ARGV: token, member.
const dropIfHeld = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return end
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('ZREM', KEYS[3], ARGV[2])`

// KEYS: what it says of itself, names of workers. ARGV: name, that, for how long. A full Redis deletes, and does the rest of a script then.
const announce = `
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return redis.call('SADD', KEYS[2], ARGV[1])`

// KEYS: what a worker says of itself, BullMQ's mark that it was looked. ARGV: how long that lasts. A full Redis as above.
const onlyInTime = `
if redis.call('EXISTS', KEYS[1]) == 1 then return end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[2], '', 'PX', ARGV[1])`

// KEYS: job, its lock. ARGV: token of the dead worker, token, duration of the lock. A full Redis as above.
const takeOver = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
redis.call('HINCRBY', KEYS[1], 'stc', 1)
return 1`
