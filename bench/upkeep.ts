import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../test/support/until.ts'
import { type Bed, type Bench, inRounds } from './harness/bed.ts'
import { load } from './harness/load.ts'
import type { Redis } from './harness/redis.ts'
import type { Row } from './harness/report.ts'
import { Samples } from './harness/samples.ts'
import { body, copyAgain, copyService, Service } from './harness/service.ts'
import { storeOf } from './harness/store.ts'
import { settingsFor } from './harness/ways.ts'

/** What Redis does for a service beside its tasks: with what they cost it decides how many machines one Redis can serve. */
export const upkeep: Bench = {
  name: 'upkeep',
  question:
    'What does Redis do for lone fires, idle workers, leases that are held and tasks that are deleted?',
  async run(bed) {
    const samples = new Samples()
    const { redis } = bed
    if (redis === undefined) return []
    await inRounds(bed, () => round({ ...bed, redis }, samples))
    return rows
      .filter(({ what }) => samples.has(what))
      .map(({ what, unit }) => ({ bench: 'upkeep', what, unit, figure: samples.of(what) }))
  },
}

const rows: readonly Pick<Row, 'what' | 'unit'>[] = [
  { what: 'lone fires: Redis', unit: 'µs/task' },
  { what: 'a server: connections', unit: '' },
  { what: 'a worker: connections', unit: '' },
  { what: 'an idle worker: commands', unit: '/s' },
  { what: 'an idle worker: Redis', unit: 'µs/s' },
  { what: 'a lease that is held: Redis', unit: 'µs/s' },
  { what: 'deleting, 1 worker: Redis', unit: 'µs/task' },
  { what: 'deleting, 4 workers: Redis', unit: 'µs/task' },
]
const idleWorkers = 4
const leases = 1_000
const passing = 20_000
/** Longer than all the rounds that workers make, but those of each minute. */
const watchedMs = 10_000

type Place = Bed & { readonly redis: Redis }

async function round(bed: Place, samples: Samples): Promise<void> {
  const { redis } = bed
  redis.flush()
  const settings = { ...settingsFor('redis', redis), worker_count: 1, worker_concurrency: leases }
  const folder = copyService('jobs', settings)
  const none = redis.connections()
  await using server = await Service.start(folder, 'serve')
  samples.add('a server: connections', redis.connections() - none)
  const start = async () => await Service.spawn(copyAgain(folder, 'jobs', settings), 'work')
  await fireAlone(bed, server, samples)
  redis.flush()
  const idle = await watchIdle(bed, start, samples)
  redis.flush()
  await watchHeld(bed, { server, start, idle }, samples)
  for (const count of [1, 4]) {
    redis.flush()
    const micros = await watchDeleting(bed, { server, start, idle }, count)
    samples.add(`deleting, ${count} ${count === 1 ? 'worker' : 'workers'}: Redis`, micros)
  }
}

async function fireAlone({ redis, seconds }: Place, server: Service, samples: Samples): Promise<void> {
  const before = redis.cpuMicros()
  const { requests } = await load({ url: server.url('/fire'), body, connections: 64, seconds })
  samples.add('lone fires: Redis', (redis.cpuMicros() - before) / requests)
}

/** Workers that have nothing to do. Answers what one costs Redis in a second, in µs. */
async function watchIdle(
  { redis, log }: Place,
  start: () => Promise<Service>,
  samples: Samples,
): Promise<number> {
  const none = redis.connections()
  await using workers = new AsyncDisposableStack()
  for (let number = 0; number < idleWorkers; number += 1) workers.use(await start())
  await until(() => redis.connections() - none >= 2 * idleWorkers, { what: 'workers', timeoutMs: 60_000 })
  // What each begins with is over then.
  await delay(watchedMs / 2)
  const { micros, calls } = await watch(redis)
  samples.add('a worker: connections', (redis.connections() - none) / idleWorkers)
  samples.add('an idle worker: commands', sum(calls.values()) / idleWorkers)
  samples.add('an idle worker: Redis', micros / idleWorkers)
  log(`an idle worker, per second: ${[...calls].map(([name, count]) => text(name, count)).join(', ')}`)
  return micros / idleWorkers
}

interface HeldOptions {
  readonly server: Service
  readonly start: () => Promise<Service>
  /** What an idle worker costs Redis in a second, in µs. */
  readonly idle: number
}

/** Tasks that outlast the watching, all in one worker. */
async function watchHeld(
  { redis }: Place,
  { server, start, idle }: HeldOptions,
  samples: Samples,
): Promise<void> {
  await server.fill(leases, '/pauses?ms=600000&')
  await using _worker = await start()
  await using store = await storeOf(server.folder)
  await until(async () => (await store.counts()).running === leases, {
    what: 'all to be held',
    timeoutMs: 60_000,
  })
  const { micros } = await watch(redis)
  samples.add('a lease that is held: Redis', (micros - idle) / leases)
}

/** Tasks that have been done for as long as they are kept. Answers what the end of one costs, in µs. */
async function watchDeleting(
  { redis }: Place,
  { server, start, idle }: HeldOptions,
  count: number,
): Promise<number> {
  await using workers = new AsyncDisposableStack()
  for (let number = 0; number < count; number += 1) workers.use(await start())
  await server.fill(passing, '/passing?')
  await using store = await storeOf(server.folder)
  const reached = async (wanted: number) => (await store.counts()).done === wanted
  await until(() => reached(passing), { what: 'all to be done', timeoutMs: 60_000, everyMs: 100 })
  const [micros, at] = [redis.cpuMicros(), performance.now()]
  await until(() => reached(0), { what: 'all to be deleted', timeoutMs: 120_000, everyMs: 100 })
  const seconds = (performance.now() - at) / 1000
  return (redis.cpuMicros() - micros - seconds * idle * count) / passing
}

/** What Redis does in a second, on the average. */
async function watch(redis: Redis): Promise<{ micros: number; calls: ReadonlyMap<string, number> }> {
  const before = { calls: redis.calls(), micros: redis.cpuMicros(), at: performance.now() }
  await delay(watchedMs)
  const seconds = (performance.now() - before.at) / 1000
  const calls = [...redis.calls()].map(
    ([name, count]) => [name, (count - (before.calls.get(name) ?? 0)) / seconds] as const,
  )
  return {
    micros: (redis.cpuMicros() - before.micros) / seconds,
    calls: new Map(calls.filter(([name, count]) => count > 0 && name !== 'info')),
  }
}

function text(name: string, count: number): string {
  return `${name} ${(count / idleWorkers).toFixed(2)}`
}

function sum(figures: Iterable<number>): number {
  return [...figures].reduce((total, one) => total + one, 0)
}
