import { asError } from '../../core/errors.ts'
import type { EngineHealth } from '../engine.ts'
import { reasonOf, unopenedHealth } from '../waiting.ts'
import { parkedWarning, waitingReason } from '../waiting-reason.ts'
import { parsed } from './job.ts'
import { inOneStep } from './lookup.ts'
import { liveWorkers } from './presence.ts'
import { probe } from './probe.ts'
import { suspectsFrom } from './record.ts'
import type { Store } from './store.ts'

/** Whether tasks can be stored, and whether those that wait move. Never rejects. */
export async function examine(store: Store): Promise<EngineHealth> {
  const faults = new Set<string>()
  const storing = await probe(store).then(
    () => true,
    (error) => !faults.add(reasonOf(error)),
  )
  try {
    const { held, ...seen } = await look(store)
    const workers = (await liveWorkers(store)).length
    const reasons = [
      ...faults,
      ...(seen.waiting > 0 && held !== undefined ? [held] : waitingReason(seen, workers)),
      ...abandonedReason(seen, workers),
    ]
    const warnings = [...store.warnings, ...parkedWarning(seen)]
    return { ok: reasons.length === 0, storing, reasons, warnings, ...seen, workers }
  } catch (error) {
    return unopenedHealth(asError(error))
  }
}

function abandonedReason({ running }: Seen, workers: number): string[] {
  if (running === 0 || workers > 0) return []
  return [
    `${running} ${running === 1 ? 'task was' : 'tasks were'} running when the last worker died; they run again once there is one. Start it: \`macaron work\`.`,
  ]
}

type Seen = Pick<EngineHealth, 'waiting' | 'running' | 'parked' | 'oldestWaitMs'>

/** `held`: why BullMQ hands nothing out, where someone has told it so. */
async function look(store: Store): Promise<Seen & { readonly held: string | undefined }> {
  const { keys, own, now } = store
  const time = now()
  const due = `(${(time + 1) * 4096}`
  const replies = await inOneStep(store, (multi) =>
    multi
      .llen(keys.wait)
      .zcard(keys.prioritized)
      .zcount(keys.delayed, '-inf', due)
      .zcount(keys.delayed, suspectsFrom, '+inf')
      .llen(keys.active)
      .zcard(own.parked)
      .hmget(keys.meta, 'paused', 'concurrency', 'max')
      .lrange(keys.wait, -1, -1)
      .zrange(keys.prioritized, '0', '0')
      .zrangebyscore(keys.delayed, suspectsFrom, '+inf', 'LIMIT', 0, 1)
      .zrangebyscore(keys.delayed, '-inf', due, 'LIMIT', 0, 1),
  )
  const [wait = 0, prioritized = 0, late = 0, suspects = 0, running = 0, parked = 0] = replies
    .slice(0, 6)
    .map(Number)
  const first = replies.slice(7).flatMap((ids) => (Array.isArray(ids) ? ids.map(String) : []))
  const since = await Promise.all(first.map((id) => dueSince(store, id)))
  const oldest = Math.min(time, ...since.filter((at) => at !== undefined))
  const held = heldBack(replies[6])
  return { waiting: wait + prioritized + late + suspects, running, parked, oldestWaitMs: time - oldest, held }
}

function heldBack(settings: unknown): string | undefined {
  const [paused, concurrency, max]: unknown[] = Array.isArray(settings) ? settings : []
  const tools = "with BullMQ's tools"
  if (typeof paused === 'string') return `Tasks wait, for their queue was paused ${tools}: resume it there.`
  if (typeof concurrency === 'string' || typeof max === 'string')
    return `Tasks wait; how many may run was limited ${tools} (concurrency ${concurrency ?? 'any'}, rate ${max ?? 'any'}).`
  return undefined
}

/** When a task could have begun, as far as its message says. */
async function dueSince({ link, keys }: Store, id: string): Promise<number | undefined> {
  const data = parsed((await link.use((client) => client.hget(keys.job(id), 'data'))) ?? '')
  if (typeof data !== 'object' || data === null) return undefined
  const { firedAt, runAt }: { firedAt?: unknown; runAt?: unknown } = data
  return Math.max(Number(firedAt) || 0, Number(runAt) || 0) || undefined
}
