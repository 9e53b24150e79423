import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../test/support/until.ts'
import { type Bed, type Bench, inRounds } from './harness/bed.ts'
import { Program } from './harness/program.ts'
import { atMost, type Goal, type Row } from './harness/report.ts'
import { percentile, Samples } from './harness/samples.ts'
import { copyService, Service, type Settings } from './harness/service.ts'
import { settingsFor, waysWith } from './harness/ways.ts'
import { celeryWaits, hasCelery } from './peers/celery.ts'

/** How long a task waits when nothing else is going on: from the fire in one process to its first line in another. */
export const latency: Bench = {
  name: 'latency',
  question: 'How long from a fire to the start of its task, when idle?',
  async run(bed) {
    const samples = new Samples()
    await inRounds(bed, () => round(bed, samples))
    return rowsOf(samples)
  },
}

const fires = 200
const warmUp = 20
const pauseMs = 15

async function round({ redis }: Bed, samples: Samples): Promise<void> {
  for (const way of waysWith(redis)) {
    redis?.flush()
    addWaits(samples, way, await ourWaits(settingsFor(way, redis)))
  }
  if (redis === undefined) return
  for (const peer of ['bullmq', 'bee-queue']) {
    redis.flush()
    addWaits(samples, peer, await peerWaits(peer, String(redis.port)))
  }
  redis.flush()
  if (hasCelery) addWaits(samples, 'celery', await celeryWaits(redis, fires, pauseMs))
}

function addWaits(samples: Samples, name: string, waits: readonly number[]): void {
  const sorted = waits.slice(warmUp).toSorted((one, other) => one - other)
  samples.add(`${name} p50`, percentile(sorted, 0.5))
  samples.add(`${name} p99`, percentile(sorted, 0.99))
}

/** The fire is the call in the handler, so the rest of the request is in the figure too. */
async function ourWaits(settings: Settings): Promise<readonly number[]> {
  const folder = copyService('jobs', { ...settings, worker_count: 2 })
  await using service = await Service.start(folder, 'start')
  await service.firstTask()
  await fireSlowly(() => service.post('/stamp'))
  return await until(() => enough(service.waits()), { what: 'the last stamped task' })
}

async function peerWaits(peer: string, redisPort: string): Promise<readonly number[]> {
  const host = new URL('./peers/host.ts', import.meta.url)
  await using worker = await Program.start(host, [peer, redisPort])
  await using producer = await Program.start(host, [peer, redisPort])
  await worker.ask('work', 10)
  await fireSlowly(() => producer.ask('add'))
  return await until(async () => enough(await worker.ask<readonly number[]>('waits')), {
    what: 'the last task of a peer',
  })
}

async function fireSlowly(fire: () => Promise<void>): Promise<void> {
  for (let fired = 0; fired < fires; fired += 1) {
    await fire()
    await delay(pauseMs)
  }
}

function enough(waits: readonly number[]): readonly number[] | undefined {
  return waits.length >= fires ? waits : undefined
}

function rowsOf(samples: Samples): readonly Row[] {
  const goals: Readonly<Record<string, Goal>> = { p50: atMost(1), p99: atMost(5) }
  const rows = ['full', 'normal', 'redis', 'bullmq', 'bee-queue', 'celery']
    .filter((name) => samples.has(`${name} p50`))
    .flatMap((name) =>
      ['p50', 'p99'].map((share) => {
        const goal = name === 'full' || name === 'normal' ? goals[share] : undefined
        return {
          bench: 'latency',
          what: `${name}, ${share}`,
          unit: 'ms',
          figure: samples.of(`${name} ${share}`),
          ...(goal === undefined ? {} : { goal }),
        }
      }),
    )
  if (!samples.has('redis p50')) return rows
  const figure = samples.ratio('redis p50', 'bullmq p50')
  return [...rows, { bench: 'latency', what: 'redis / bullmq, p50', unit: '×', figure, goal: atMost(1.1) }]
}
