import { setImmediate as nextTurn } from 'node:timers/promises'
import { isSettled, type TaskState } from '../../tasks/states.ts'
import type { ActionAnswer } from '../engine.ts'
import type { Glance } from '../fingerprint.ts'
import { keepSettledMs, takenAwayAt } from '../losses.ts'
import { deleteAll, rememberedMs } from './bulk.ts'
import { glanceAt, inOneStep, stateOfTask } from './lookup.ts'
import { dropNoted, entriesOf, notedOf } from './notes.ts'
import { orLost } from './outcome.ts'
import type { Store } from './store.ts'

/** What operators and handles ask for. */

const done: ActionAnswer = Object.freeze({ done: true })

export async function cancelTask(store: Store, id: string): Promise<ActionAnswer> {
  const { keys, own, scripts, link, now } = store
  const at = now()
  const used = [keys.job(id), keys.wait, keys.prioritized, keys.delayed, keys.failed]
  const answer = await link.use(() =>
    scripts.cancel([...used, own.cancelled, own.expires, keys.events], [id, at, at + keepSettledMs]),
  )
  return answer === 1 ? done : await notDone(store, id)
}

/** BullMQ's retry sets its counts back, and with them ours. */
export async function retryTask(store: Store, id: string): Promise<ActionAnswer> {
  const { queue, link } = store
  const [state, noted] = await Promise.all([stateOfTask(store, id), notedOf(store, [id])])
  if (!isRetriable(state)) return { done: false, state }
  const isMoved = await orLost(link.use(() => queue.retryFinishedJob(jobOf(id), 'failed', fromZero)))
  if (!isMoved) return await notDone(store, id)
  await dropNoted(store, noted)
  return done
}

/** Puts a parked task at the head of the queue, with its counts as they are; false where it has gone already. Its entry in the list of parked ones is the caller's to drop. */
export async function unparkTask({ queue, link }: Store, id: string): Promise<boolean> {
  return await orLost(link.use(() => queue.retryFinishedJob(jobOf(id, { lifo: true }), 'failed', {})))
}

export async function removeTask(store: Store, id: string): Promise<ActionAnswer> {
  const state = await stateOfTask(store, id)
  if (state === undefined || state === 'running') return { done: false, state }
  return (await forget(store, [id])).length === 1 ? done : await notDone(store, id)
}

/** How many tasks are looked at in one step. */
export const sliceSize = 500

/** Deletes settled tasks in `states`, all of them; or, without `states`, those that may go by now. Resolves with how many. */
export async function purgeTasks(store: Store, states: readonly TaskState[] | undefined): Promise<number> {
  if (states === undefined) return await purgeExpired(store)
  let count = 0
  for (const state of states.filter(isSettled)) count += await purgeState(store, state)
  return count
}

/** Those whose time has passed. One that isn't settled (any more), or can't be deleted, is looked at again later. `goesOn`: asked after each slice. */
export async function purgeExpired(
  store: Store,
  goesOn: () => Promise<boolean> = afterATurn,
): Promise<number> {
  for (let count = 0; ; ) {
    const time = store.now()
    const expired = await readExpired(store, time)
    const ids = [...expired.keys()]
    if (ids.length === 0) return count
    const done = await forgetDone(store, ids, time)
    const others = without(ids, done)
    count += done.length + (others.length === 0 ? 0 : await purgeOthers(store, others, expired))
    if (!(await goesOn())) return count
  }
}

/** Those among them that ended otherwise, or are no such thing. */
async function purgeOthers(
  store: Store,
  ids: readonly string[],
  expired: ReadonlyMap<string, number>,
): Promise<number> {
  const { link, own, now } = store
  const time = now()
  const tasks = new Map((await glanceAt(store, ids)).map((task) => [task.message.id, task]))
  const over = ids.filter((id) => tasks.get(id) === undefined || isSettled(stateIn(tasks, id)))
  const hasRun = (id: string) => expired.get(id) !== takenAwayAt
  await remember(
    store,
    [...tasks.values()].filter(({ message }) => hasRun(message.id)),
  )
  const gone = await forgetOthers(store, over)
  // Only ever to a later time: it may have been settled, and dated, just now.
  const later = without(ids, gone).flatMap((id) => [time + checkAgainMs, id])
  if (later.length > 0) await link.use((client) => client.zadd(own.expires, 'GT', ...later))
  return gone.length
}

/** Some of those that may go by then, and since when each. */
async function readExpired({ link, own }: Store, time: number): Promise<ReadonlyMap<string, number>> {
  const found = await link.use((client) =>
    client.zrangebyscore(own.expires, '-inf', time, 'WITHSCORES', 'LIMIT', 0, sliceSize),
  )
  return new Map([...entriesOf(found)].map(([id, score]) => [id, Number(score)]))
}

/** Notes those that have run just now, before they are deleted. */
async function remember({ link, keys, now }: Store, tasks: readonly Glance[]): Promise<void> {
  const recent = tasks.flatMap(({ message, settledAt = 0 }) => {
    const leftMs = settledAt + rememberedMs - now()
    return leftMs > 0 ? [{ key: keys.gone(message.id), leftMs }] : []
  })
  if (recent.length === 0) return
  await link.use((client) =>
    recent
      .reduce((pipeline, { key, leftMs }) => pipeline.set(key, '', 'PX', leftMs), client.pipeline())
      .exec(),
  )
}

/** Deletes the oldest settled tasks above `most`, done ones first. `goesOn`: asked after each slice. */
export async function trimSettled(
  store: Store,
  most: number,
  goesOn: () => Promise<boolean>,
): Promise<number> {
  const { link, keys } = store
  for (let count = 0; ; ) {
    const [done = 0, others = 0] = (
      await inOneStep(store, (multi) => multi.zcard(keys.completed).zcard(keys.failed))
    ).map(Number)
    const surplus = done + others - most
    if (surplus <= 0) return count
    const key = done > 0 ? keys.completed : keys.failed
    const last = Math.min(surplus, sliceSize) - 1
    const gone = await forget(store, await link.use((client) => client.zrange(key, '0', String(last))))
    if (gone.length === 0) return count
    count += gone.length
    if (!(await goesOn())) return count
  }
}

const checkAgainMs = 3_600_000

async function afterATurn(): Promise<true> {
  await nextTurn()
  return true
}

function stateIn(tasks: ReadonlyMap<string, Glance>, id: string): TaskState {
  return tasks.get(id)?.state ?? 'done'
}

async function purgeState(store: Store, state: TaskState): Promise<number> {
  const { link, keys } = store
  const key = state === 'done' ? keys.completed : keys.failed
  let count = 0
  for (let at = 0; ; ) {
    const ids = await link.use((client) => client.zrange(key, String(at), String(at + sliceSize - 1)))
    if (ids.length === 0) return count
    const meant = (await glanceAt(store, ids)).filter((task) => task.state === state)
    const gone = await forget(
      store,
      meant.map(({ message }) => message.id),
    )
    count += gone.length
    at += ids.length - gone.length
    await nextTurn()
  }
}

/** Deletes tasks, and every note of them. Answers which; a running one stays. */
async function forget(store: Store, ids: readonly string[]): Promise<readonly string[]> {
  const done = await forgetDone(store, ids, Number.MAX_SAFE_INTEGER)
  return [...done, ...(await forgetOthers(store, without(ids, done)))]
}

/** Those that are done and may go by `due`. */
async function forgetDone(store: Store, ids: readonly string[], due: number): Promise<readonly string[]> {
  const answers = await deleteAll(store, ids, due)
  return ids.filter((_, index) => answers[index])
}

async function forgetOthers(store: Store, ids: readonly string[]): Promise<readonly string[]> {
  if (ids.length === 0) return []
  const { queue, link, own } = store
  const removed = await Promise.all(ids.map((id) => link.use(() => queue.remove(id, false))))
  const gone = ids.filter((_, index) => removed[index] === 1)
  if (gone.length === 0) return []
  const notes = [own.ids, own.expires, own.parked, own.cancelled]
  await link.use((client) =>
    notes.reduce((pipeline, key) => pipeline.zrem(key, ...gone), client.pipeline()).exec(),
  )
  return gone
}

function without(ids: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Set(ids)
  for (const id of others) left.delete(id)
  return [...left]
}

async function notDone(store: Store, id: string): Promise<ActionAnswer> {
  return { done: false, state: await stateOfTask(store, id) }
}

function isRetriable(state: TaskState | undefined): boolean {
  return state === 'failed' || state === 'cancelled' || state === 'parked'
}

const fromZero = { resetAttemptsMade: true }

type Retried = Parameters<Store['queue']['retryFinishedJob']>[0]

function jobOf(id: string, opts: Retried['opts'] = {}): Retried {
  const job: Pick<Retried, 'id' | 'opts'> = { id, opts }
  // All that a retry reads of a job.
  return job as Retried
}
