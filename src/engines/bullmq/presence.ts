import { hostname } from 'node:os'
import type { WorkerInfo } from '../engine.ts'
import { parsed } from './job.ts'
import { inOneStep } from './lookup.ts'
import type { Store } from './store.ts'

/** Which workers are alive: each has a key that goes by itself unless it is written again. */

const lastsMs = 15_000

/** Says that `owner` lives, for `lastsMs`. */
export async function announce(store: Store, owner: string, startedAt: number): Promise<void> {
  const { own, link, scripts } = store
  const facts = JSON.stringify({ host: hostname(), pid: process.pid, startedAt })
  await link.use(() => scripts.announce([own.worker(owner), own.workers], [owner, facts, lastsMs]))
}

export async function leave(store: Store, owner: string): Promise<void> {
  const { own } = store
  await inOneStep(store, (multi) => multi.del(own.worker(owner)).srem(own.workers, owner))
}

/** Those that live, with what they run. The names of dead ones go. */
export async function liveWorkers(store: Store): Promise<readonly WorkerInfo[]> {
  const { link, own } = store
  const owners = await link.use((client) => client.smembers(own.workers))
  if (owners.length === 0) return []
  const facts = await link.use((client) => client.mget(owners.map((owner) => own.worker(owner))))
  const dead = owners.filter((_, index) => typeof facts[index] !== 'string')
  if (dead.length > 0) await link.use((client) => client.srem(own.workers, ...dead))
  const running = await countRunning(store)
  return owners.flatMap((owner, index) => {
    const info = infoOf(owner, facts[index] ?? '')
    return info === undefined ? [] : [{ ...info, running: running.get(owner) ?? 0 }]
  })
}

/** How many tasks each worker holds. */
async function countRunning(store: Store): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  for (const { owner } of await heldTasks(store)) counts.set(owner, (counts.get(owner) ?? 0) + 1)
  return counts
}

/** The running tasks whose locks hold, with the token in it and the worker it names. */
export async function heldTasks(
  store: Store,
): Promise<readonly { readonly id: string; readonly token: string; readonly owner: string }[]> {
  const { link, keys } = store
  const ids = await link.use((client) => client.lrange(keys.active, 0, -1))
  if (ids.length === 0) return []
  const tokens = await link.use((client) => client.mget(ids.map((id) => keys.lock(id))))
  return ids.flatMap((id, index) => {
    const token = tokens[index]
    return typeof token === 'string' ? [{ id, token, owner: token.replace(/\/\d+$/, '') }] : []
  })
}

function infoOf(owner: string, text: string): Omit<WorkerInfo, 'running'> | undefined {
  const facts = parsed(text)
  if (typeof facts !== 'object' || facts === null) return undefined
  const { host, pid, startedAt }: { host?: unknown; pid?: unknown; startedAt?: unknown } = facts
  return { owner, host: String(host), pid: Number(pid), startedAt: Number(startedAt) }
}
