import { setImmediate as nextTurn } from 'node:timers/promises'
import { asError } from '../../core/errors.ts'
import type { TaskState } from '../../tasks/states.ts'
import type { ListFilter, TaskRecord, TaskStanding } from '../engine.ts'
import type { Glance } from '../fingerprint.ts'
import { slicesOf } from '../slices.ts'
import { dropNoted, notedOf, only } from './notes.ts'
import {
  glanceFields,
  glanceOf,
  recordFields,
  recordOf,
  type Seen,
  standingFields,
  standingOf,
  suspectsFrom,
} from './record.ts'
import type { Store } from './store.ts'

/** Finding one task, listing many, counting all. */

/** How many tasks are looked at in one step: a millisecond or two of Redis' time. */
const stepSize = 500
/** How many are read with what they were fired with: each may be large. */
export const readsAtOnce = 50
/** However few are missing: some may have moved on since they were looked at, and each step costs Redis a look at what runs. */
const fewestRead = 10
/** A state with no more tasks than this is looked up by itself. */
const fewTasks = 2_000

export async function findTask(store: Store, id: string): Promise<TaskRecord | undefined> {
  const [found] = await readTasks(store, [id])
  return found
}

/** A task's state; undefined where there is none. */
export async function stateOfTask(store: Store, id: string): Promise<TaskState | undefined> {
  const [found] = await glanceAt(store, [id])
  return found?.state
}

/** What is there of these tasks, in their order, as it stands at one moment. */
export async function readTasks(store: Store, ids: readonly string[]): Promise<readonly TaskRecord[]> {
  return (await readJobs(store, ids, recordFields)).map(recordOf)
}

/** How they stand, without what they were fired with. */
export async function readStandings(store: Store, ids: readonly string[]): Promise<readonly TaskStanding[]> {
  return (await readJobs(store, ids, standingFields)).map(standingOf)
}

/** The same without how they ended: nothing of it is large. */
export async function glanceAt(store: Store, ids: readonly string[]): Promise<readonly Glance[]> {
  return (await readJobs(store, ids, glanceFields)).map(glanceOf)
}

async function readJobs(
  store: Store,
  ids: readonly string[],
  names: readonly string[],
): Promise<readonly Seen[]> {
  if (ids.length === 0) return []
  const { keys } = store
  const [active, completed, failed, delayed, ...hashes] = await askInOneStep(store, (multi) => {
    multi.lrange(keys.active, 0, -1)
    for (const key of [keys.completed, keys.failed, keys.delayed]) multi.zmscore(key, ...ids)
    for (const id of ids) multi.hmget(keys.job(id), ...names)
    return multi
  })
  const value = valueIn(store)
  const running = new Set(list(value(active)))
  return ids.flatMap((id, index) => {
    const hash = hashes[index]
    const fields = isNoHash(hash) ? undefined : fieldsOf(names, list(value(hash)))
    if (fields === undefined) return []
    return {
      id,
      fields,
      running: running.has(id),
      completed: list(value(completed))[index] !== null,
      failed: list(value(failed))[index] !== null,
      delayedScore: score(list(value(delayed))[index]),
    }
  })
}

/** Tasks by filter, newest first. What they were fired with is read of those alone that are not ruled out by their names and states. */
export async function listTasks(store: Store, filter: ListFilter): Promise<readonly TaskRecord[]> {
  const rare = filter.state === undefined ? undefined : await fewIn(store, filter.state)
  const limit = filter.limit ?? 50
  // Without a state, a name or a queue to look for, no more is looked at than asked for.
  const slice = rare === undefined && !isFiltered(filter) ? Math.min(limit, stepSize) : stepSize
  const found: TaskRecord[] = []
  let before = filter.before
  while (found.length < limit) {
    const ids = rare === undefined ? await idsBefore(store, before, slice) : firstBefore(rare, before)
    found.push(...(await matching(store, ids, { ...filter, limit: limit - found.length })))
    if (ids.length < slice) break
    before = ids.at(-1)
    await nextTurn()
  }
  return found
}

async function matching(
  store: Store,
  ids: readonly string[],
  filter: ListFilter & { readonly limit: number },
): Promise<readonly TaskRecord[]> {
  const { limit, queue } = filter
  const seen = (await glanceAt(store, ids)).filter((task) => mayMatch(task, filter))
  const found: TaskRecord[] = []
  const size = queue === undefined ? Math.min(Math.max(limit, fewestRead), readsAtOnce) : readsAtOnce
  for (const some of slicesOf(seen, size)) {
    const tasks = await readTasks(
      store,
      some.map(({ message }) => message.id),
    )
    // It may have moved on since.
    found.push(...tasks.filter((task) => mayMatch(task, filter) && isIn(task, queue)))
    if (found.length >= limit) break
  }
  return found.slice(0, limit)
}

function mayMatch({ state, message }: Glance, filter: ListFilter): boolean {
  return (
    (filter.state === undefined || state === filter.state) &&
    (filter.name === undefined || message.name === filter.name)
  )
}

function isIn({ message }: TaskRecord, queue: string | undefined): boolean {
  return queue === undefined || message.queue === queue
}

function isFiltered({ state, name, queue }: ListFilter): boolean {
  return state !== undefined || name !== undefined || queue !== undefined
}

function idsBefore({ link, own }: Store, before: string | undefined, count: number): Promise<string[]> {
  const from = before === undefined ? '+' : `(${before}`
  return link.use((client) => client.zrevrangebylex(own.ids, from, '-', 'LIMIT', 0, count))
}

function firstBefore(ids: readonly string[], before: string | undefined): readonly string[] {
  const start = before === undefined ? 0 : ids.findIndex((id) => id < before)
  return start < 0 ? [] : ids.slice(start, start + stepSize)
}

/** All ids in a state from the newest, where they are few; undefined otherwise. */
async function fewIn(store: Store, state: TaskState): Promise<readonly string[] | undefined> {
  if ((await countTasks(store))[state] > fewTasks) return undefined
  const { keys, own } = store
  const replies = await inOneStep(store, (multi) => {
    if (state === 'queued') multi.lrange(keys.wait, 0, -1).zrange(keys.prioritized, '0', '-1')
    if (state === 'queued') multi.zrangebyscore(keys.delayed, suspectsFrom, '+inf')
    if (state === 'scheduled') multi.zrangebyscore(keys.delayed, '-inf', `(${suspectsFrom}`)
    if (state === 'running') multi.lrange(keys.active, 0, -1)
    if (state === 'done') multi.zrange(keys.completed, '0', '-1')
    if (state === 'parked') multi.zrange(own.parked, '0', '-1')
    if (state === 'cancelled') multi.zrange(own.cancelled, '0', '-1')
    return state === 'failed' ? multi.zdiff(3, keys.failed, own.parked, own.cancelled) : multi
  })
  // Lists and sorted sets of ids, all of them.
  const ids = replies.flatMap((reply) => list(reply) as readonly string[])
  return [...new Set(ids)].sort().toReversed()
}

/** How many tasks are in each state. */
export async function countTasks(store: Store): Promise<Readonly<Record<TaskState, number>>> {
  const { keys, own } = store
  const replies = await inOneStep(store, (multi) =>
    multi
      .llen(keys.wait)
      .zcard(keys.prioritized)
      .zcount(keys.delayed, suspectsFrom, '+inf')
      .zcount(keys.delayed, '-inf', `(${suspectsFrom}`)
      .llen(keys.active)
      .zcard(keys.completed)
      .zcard(keys.failed)
      .zcard(own.cancelled)
      .zcard(own.parked),
  )
  const [wait = 0, prioritized = 0, suspects = 0, scheduled = 0, running = 0, ...settled] =
    replies.map(Number)
  const [done = 0, failed = 0, cancelled = 0, parked = 0] = settled
  return {
    scheduled,
    queued: wait + prioritized + suspects,
    running,
    done,
    failed: Math.max(0, failed - cancelled - parked),
    cancelled,
    parked,
  }
}

/** Takes what isn't parked or cancelled any more from the lists of those. */
export async function tidy(store: Store, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  const noted = await notedOf(store, ids)
  const states = new Map((await glanceAt(store, ids)).map(({ message, state }) => [message.id, state]))
  const none = (state: TaskState) => ids.filter((id) => states.get(id) !== state)
  await dropNoted(store, {
    parked: only(noted.parked, none('parked')),
    cancelled: only(noted.cancelled, none('cancelled')),
  })
}

type Multi = ReturnType<Store['link']['client']['multi']>

/** What several reads find at one moment. @throws StoreError, and the first of the reads' own errors. */
export async function inOneStep(store: Store, read: (multi: Multi) => Multi): Promise<readonly unknown[]> {
  return (await askInOneStep(store, read)).map(valueIn(store))
}

/** Each read's error or reply. */
type Answer = readonly [Error | null, unknown]

async function askInOneStep(store: Store, read: (multi: Multi) => Multi): Promise<readonly Answer[]> {
  const replies = await store.link.use(async (client) => {
    try {
      return await read(client.multi()).exec()
    } catch (error) {
      // A full Redis takes no transaction, though it reads.
      if (!asError(error).message.startsWith('EXECABORT')) throw error
      return await read(client.pipeline()).exec()
    }
  })
  return replies ?? []
}

function valueIn({ link }: Store): (answer: Answer | undefined) => unknown {
  return (answer) => {
    const [error, reply] = answer ?? [null, undefined]
    if (error !== null) throw link.failure(error)
    return reply
  }
}

/** Somebody has asked for a task by the name of one of BullMQ's own keys. */
function isNoHash(answer: Answer | undefined): boolean {
  return answer?.[0]?.message.startsWith('WRONGTYPE') ?? false
}

function list(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : []
}

function score(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value)
}

/** The fields of a job that it has; undefined where it has none of them, as every job has a name. */
function fieldsOf(names: readonly string[], values: readonly unknown[]): Seen['fields'] | undefined {
  const found = names.flatMap((name, index) => {
    const value = values[index]
    return typeof value === 'string' ? [[name, value] as const] : []
  })
  return found.length === 0 ? undefined : Object.fromEntries(found)
}
