import { join } from 'node:path'
import { until } from '../test/support/until.ts'
import { type Bed, type Bench, inRounds } from './harness/bed.ts'
import { runPlace } from './harness/places.ts'
import { Program } from './harness/program.ts'
import { drainRate } from './harness/progress.ts'
import { atLeast, type Row } from './harness/report.ts'
import { Samples } from './harness/samples.ts'
import { copyService, Service } from './harness/service.ts'
import { doneIn, storeOf } from './harness/store.ts'
import { settingsFor, type Way, waysWith } from './harness/ways.ts'
import { drainCelery, hasCelery } from './peers/celery.ts'

/** No-op tasks that wait, about 150 bytes of arguments each, run as fast as it goes; what is done stays in the store. */
export const drain: Bench = {
  name: 'drain',
  question: 'How fast are waiting tasks run?',
  async run(bed) {
    const samples = new Samples()
    await inRounds(bed, () => round(bed, samples))
    return rowsOf(samples)
  },
}

const ourTasks = 200_000
const theirTasks = 20_000
/** It takes a second to store some thousands. */
const celeryTasks = 5_000

interface PeerSetup {
  readonly peer: string
  readonly concurrency: number
}

const onRedis: readonly PeerSetup[] = [
  { peer: 'bullmq', concurrency: 10 },
  { peer: 'bullmq', concurrency: 50 },
  { peer: 'bullmq', concurrency: 200 },
  { peer: 'bee-queue', concurrency: 50 },
]

async function round(bed: Bed, samples: Samples): Promise<void> {
  for (const way of waysWith(bed.redis)) {
    bed.redis?.flush()
    samples.add(way, await drainOurs(way, bed))
  }
  samples.add(
    'plainjob',
    await drainPeer({ peer: 'plainjob', concurrency: 1 }, join(runPlace('plainjob'), 'jobs.db')),
  )
  if (bed.redis === undefined) return
  for (const setup of onRedis) {
    bed.redis.flush()
    samples.add(titleOf(setup), await drainPeer(setup, String(bed.redis.port)))
  }
  if (!hasCelery) return
  bed.redis.flush()
  samples.add('celery', await drainCelery(bed.redis, celeryTasks))
}

async function drainOurs(way: Way, { redis }: Bed): Promise<number> {
  const total = way === 'redis' ? theirTasks : ourTasks
  const folder = copyService('jobs', { ...settingsFor(way, redis), worker_count: 2 })
  {
    await using server = await Service.start(folder, 'serve')
    await server.fill(total)
  }
  await using _worker = await Service.spawn(folder, 'work')
  await using store = await storeOf(folder)
  return await drainRate({ done: () => doneIn(store), total })
}

async function drainPeer({ peer, concurrency }: PeerSetup, where: string): Promise<number> {
  await using host = await Program.start(new URL('./peers/host.ts', import.meta.url), [peer, where])
  await host.ask('fill', theirTasks)
  await host.ask('work', concurrency)
  return await until(() => host.ask<number | undefined>('rate'), {
    what: `${peer} to run its tasks`,
    timeoutMs: 60_000,
  })
}

function titleOf({ peer, concurrency }: PeerSetup): string {
  return `${peer}, ${concurrency} at a time`
}

function rowsOf(samples: Samples): readonly Row[] {
  const bench = 'drain'
  const rates = ['full', 'normal', 'redis', 'plainjob', ...onRedis.map(titleOf), 'celery']
    .filter((name) => samples.has(name))
    .map((name) => ({ bench, what: name, unit: 'tasks/s', figure: samples.of(name) }))
  const best = samples.best(onRedis.filter(({ peer }) => peer === 'bullmq').map(titleOf))
  const others = [best, titleOf({ peer: 'bee-queue', concurrency: 50 }), 'plainjob', 'celery'].filter(
    (name) => name !== undefined,
  )
  const ratios = others
    .filter((name) => samples.has(name))
    .flatMap((name) =>
      ['full', 'normal', 'redis']
        .filter((way) => samples.has(way))
        .map((way) => ({
          bench,
          what: `${way} / ${name}`,
          unit: '×',
          figure: samples.ratio(way, name),
          ...(name === best ? { goal: atLeast(way === 'redis' ? 0.8 : 4) } : {}),
        })),
    )
  return [...ratios, ...rates]
}
