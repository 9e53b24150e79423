import { freePort } from '../test/support/free-port.ts'
import { type Bed, type Bench, inRounds } from './harness/bed.ts'
import { load } from './harness/load.ts'
import { Program } from './harness/program.ts'
import { atLeast, type Row } from './harness/report.ts'
import { Samples } from './harness/samples.ts'
import { body, copyService, Service } from './harness/service.ts'
import { doneIn, storeOf } from './harness/store.ts'
import { settingsFor, waysWith } from './harness/ways.ts'

/** Endpoint and worker busy at the same time, on the same cores, as small installations run them. */
export const together: Bench = {
  name: 'together',
  question: 'How much do an endpoint that fires and the workers that run it get done on the same cores?',
  async run(bed) {
    const samples = new Samples()
    await inRounds(bed, () => round(bed, samples))
    return rowsOf(samples)
  },
}

const connections = 64
const peer = 'Fastify + BullMQ'

async function round(bed: Bed, samples: Samples): Promise<void> {
  for (const way of waysWith(bed.redis)) {
    bed.redis?.flush()
    const folder = copyService('jobs', { ...settingsFor(way, bed.redis), worker_count: 2 })
    await using service = await Service.start(folder, 'start')
    await service.firstTask()
    await using store = await storeOf(folder)
    await measure(bed, samples, { name: way, port: service.port, done: () => doneIn(store) })
  }
  if (bed.redis === undefined) return
  bed.redis.flush()
  const port = await freePort()
  const redis = String(bed.redis.port)
  await using _server = await Program.start(new URL('./peers/fastify.ts', import.meta.url), [
    String(port),
    redis,
  ])
  await using worker = await Program.start(new URL('./peers/host.ts', import.meta.url), ['bullmq', redis])
  await worker.ask('work', 50)
  await measure(bed, samples, { name: peer, port, done: () => worker.ask<number>('ran') })
}

interface Subject {
  readonly name: string
  readonly port: number
  done(): Promise<number>
}

async function measure(bed: Bed, samples: Samples, { name, port, done }: Subject): Promise<void> {
  const url = `http://127.0.0.1:${port}/fire`
  await load({ url, body, connections, seconds: 1 })
  const before = await done()
  const start = performance.now()
  const { perSecond } = await load({ url, body, connections, seconds: bed.seconds })
  const finished = (await done()) - before
  samples.add(`${name} requests`, perSecond)
  samples.add(`${name} tasks`, (finished / (performance.now() - start)) * 1000)
}

function rowsOf(samples: Samples): readonly Row[] {
  const bench = 'together'
  const rates = ['full', 'normal', 'redis', peer]
    .filter((name) => samples.has(`${name} tasks`))
    .flatMap((name) => [
      { bench, what: `${name}: answered`, unit: 'req/s', figure: samples.of(`${name} requests`) },
      { bench, what: `${name}: finished`, unit: 'tasks/s', figure: samples.of(`${name} tasks`) },
    ])
  if (!samples.has(`${peer} tasks`)) return rates
  const ratios = ['full', 'normal', 'redis'].flatMap((name) =>
    ['requests', 'tasks'].map((what) => ({
      bench,
      what: `${name} / ${peer}: ${what}`,
      unit: '×',
      figure: samples.ratio(`${name} ${what}`, `${peer} ${what}`),
      goal: atLeast(name === 'redis' ? 2 : 2.5),
    })),
  )
  return [...ratios, ...rates]
}
