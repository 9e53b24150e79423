import { type Bed, type Bench, inRounds } from './harness/bed.ts'
import { Program } from './harness/program.ts'
import { atMost, type Row } from './harness/report.ts'
import { Samples } from './harness/samples.ts'
import { copyService, Service } from './harness/service.ts'
import { settingsFor } from './harness/ways.ts'

/** What a task that waits takes of Redis' memory. */
export const memory: Bench = {
  name: 'memory',
  question: 'How much memory does Redis need for a waiting task?',
  async run(bed) {
    const samples = new Samples()
    if (bed.redis === undefined) return []
    await inRounds({ ...bed, rounds: 1 }, () => round(bed, samples))
    return rowsOf(samples)
  },
}

const tasks = 20_000

async function round({ redis }: Bed, samples: Samples): Promise<void> {
  if (redis === undefined) return
  redis.flush()
  {
    await using service = await Service.start(copyService('jobs', settingsFor('redis', redis)), 'serve')
    await service.fill(1)
    const before = redis.usedBytes()
    await service.fill(tasks)
    samples.add('macaron', (redis.usedBytes() - before) / tasks)
  }
  redis.flush()
  const host = new URL('./peers/host.ts', import.meta.url)
  await using peer = await Program.start(host, ['bullmq', String(redis.port)])
  await peer.ask('fill', 1)
  const before = redis.usedBytes()
  await peer.ask('fill', tasks)
  samples.add('bullmq', (redis.usedBytes() - before) / tasks)
}

function rowsOf(samples: Samples): readonly Row[] {
  const bench = 'memory'
  const rows = ['macaron', 'bullmq'].map((name) => ({
    bench,
    what: `${name}: a waiting task`,
    unit: 'bytes',
    figure: samples.of(name),
  }))
  const figure = samples.ratio('macaron', 'bullmq')
  return [...rows, { bench, what: 'macaron / bullmq', unit: '×', figure, goal: atMost(1.1) }]
}
