import { until } from '../test/support/until.ts'
import { type Bed, type Bench, inRounds } from './harness/bed.ts'
import { cpuMicros } from './harness/processes.ts'
import { drainWindow } from './harness/progress.ts'
import type { Redis } from './harness/redis.ts'
import type { Row } from './harness/report.ts'
import { Samples } from './harness/samples.ts'
import { copyAgain, copyService, Service } from './harness/service.ts'
import { doneIn, storeOf } from './harness/store.ts'
import { settingsFor } from './harness/ways.ts'

/** Tasks on Redis drained by more and more workers, each with one executor and a folder of its own, as on machines of their own. */
export const scale: Bench = {
  name: 'scale',
  question: 'How far do more workers on one Redis go, and what do Redis and the workers spend on a task?',
  async run(bed) {
    const samples = new Samples()
    await inRounds(bed, () => round(bed, samples))
    return rowsOf(samples)
  },
}

interface Kind {
  readonly name: string
  readonly total: number
  /** What fires them. */
  readonly operation: string
}

const kinds: readonly Kind[] = [
  { name: 'no-ops', total: 80_000, operation: '/fill?' },
  { name: 'tasks that wait 5 ms', total: 40_000, operation: '/pauses?ms=5&' },
]
const workerCounts = [1, 2, 3, 4]

async function round(bed: Bed, samples: Samples): Promise<void> {
  const { redis } = bed
  if (redis === undefined) return
  for (const kind of kinds) {
    for (const count of workerCounts) {
      redis.flush()
      await measure(samples, { kind, count, redis, seconds: bed.seconds })
    }
  }
}

interface Setup {
  readonly kind: Kind
  readonly count: number
  readonly redis: Redis
  readonly seconds: number
}

async function measure(samples: Samples, { kind, count, redis, seconds }: Setup): Promise<void> {
  const { name, total, operation } = kind
  const settings = { ...settingsFor('redis', redis), worker_count: 1 }
  const folder = copyService('jobs', settings)
  {
    await using server = await Service.start(folder, 'serve')
    const before = redis.cpuMicros()
    await server.fill(total, operation)
    samples.add(`${name}: storing`, (redis.cpuMicros() - before) / total)
  }
  await using workers = new AsyncDisposableStack()
  const services: Service[] = []
  for (let number = 0; number < count; number += 1)
    services.push(workers.use(await Service.spawn(copyAgain(folder, 'jobs', settings), 'work')))
  await using store = await storeOf(folder)
  await allAtWork(store, count)
  const read = () => ({
    redis: redis.cpuMicros(),
    workers: services.reduce((sum, { pid }) => sum + cpuMicros(pid), 0),
  })
  const { tasks, perSecond, before, after } = await drainWindow(
    { done: () => doneIn(store), total, seconds },
    read,
  )
  const what = titleOf(name, count)
  samples.add(what, perSecond)
  samples.add(`${what}: Redis`, (after.redis - before.redis) / tasks)
  samples.add(`${what}: workers`, (after.workers - before.workers) / tasks)
}

/** Until each of them has been seen with tasks in its hands: before, some still load. */
async function allAtWork(store: Awaited<ReturnType<typeof storeOf>>, count: number): Promise<void> {
  const seen = new Set<string>()
  const look = async () => {
    for (const { owner, running } of await store.workers()) if (running > 0) seen.add(owner)
    return seen.size === count
  }
  await until(look, { what: `${count} workers to be at work`, timeoutMs: 60_000 })
}

function titleOf(kind: string, count: number): string {
  return `${kind}, ${count} ${count === 1 ? 'worker' : 'workers'}`
}

function rowsOf(samples: Samples): readonly Row[] {
  const bench = 'scale'
  return kinds.flatMap(({ name }) => [
    ...rowIf(`${name}: storing`, 'Redis µs/task'),
    ...workerCounts.flatMap((count) => {
      const what = titleOf(name, count)
      return [
        ...rowIf(what, 'tasks/s'),
        ...rowIf(`${what}: Redis`, 'µs/task'),
        ...rowIf(`${what}: workers`, 'µs/task'),
      ]
    }),
  ])

  function rowIf(what: string, unit: string): readonly Row[] {
    return samples.has(what) ? [{ bench, what, unit, figure: samples.of(what) }] : []
  }
}
