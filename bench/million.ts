import { type Bench, inRounds } from './harness/bed.ts'
import { drainRate } from './harness/progress.ts'
import { atLeast, type Row } from './harness/report.ts'
import { Samples } from './harness/samples.ts'
import { copyService, Service } from './harness/service.ts'
import { doneIn, storeOf } from './harness/store.ts'

/** One million tasks wait: whether storing more and running them is as fast as with a store that holds few. */
export const million: Bench = {
  name: 'million',
  question: 'Do a million waiting tasks slow down storing and running?',
  async run(bed) {
    const samples = new Samples()
    await inRounds({ ...bed, rounds: Math.min(bed.rounds, 3) }, async () => {
      await measure(samples, { name: 'few', waiting: few })
      await measure(samples, { name: 'million', waiting: 1_000_000 })
    })
    return rowsOf(samples)
  },
}

const batch = 100_000
/** Enough that both servers are warm when it counts. */
const few = 20_000

interface Store {
  readonly name: string
  /** How many wait before we begin. */
  readonly waiting: number
}

async function measure(samples: Samples, { name, waiting }: Store): Promise<void> {
  const folder = copyService('jobs', { store_sync: 'normal', worker_count: 2 })
  {
    await using server = await Service.start(folder, 'serve')
    await server.fill(waiting)
    const start = performance.now()
    await server.fill(batch)
    samples.add(`${name} store`, (batch / (performance.now() - start)) * 1000)
  }
  await using _worker = await Service.spawn(folder, 'work')
  await using store = await storeOf(folder)
  samples.add(`${name} run`, await drainRate({ done: () => doneIn(store), total: batch }))
}

function rowsOf(samples: Samples): readonly Row[] {
  const bench = 'million'
  return [
    { name: 'store', what: 'stored' },
    { name: 'run', what: 'run' },
  ].flatMap(({ name, what }) => [
    {
      bench,
      what: `${what}: with a million waiting / with 20,000`,
      unit: '×',
      figure: samples.ratio(`million ${name}`, `few ${name}`),
      goal: atLeast(0.8),
    },
    { bench, what: `${what}, 20,000 waiting`, unit: 'tasks/s', figure: samples.of(`few ${name}`) },
    { bench, what: `${what}, a million waiting`, unit: 'tasks/s', figure: samples.of(`million ${name}`) },
  ])
}
