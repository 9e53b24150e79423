import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../test/support/free-port.ts'
import { type Bench, inRounds } from './harness/bed.ts'
import { bigSpec, copyBigService } from './harness/big-service.ts'
import { cpuMicros, pssMiB } from './harness/processes.ts'
import { Program } from './harness/program.ts'
import { atMost, type Row } from './harness/report.ts'
import { Samples } from './harness/samples.ts'
import { copyService, Service } from './harness/service.ts'

/** What a service costs before and without any work: time to its first reply, memory, processor time when idle. */
export const boot: Bench = {
  name: 'boot',
  question: 'How long from the start to the first reply, and what does an idle service take?',
  async run(bed) {
    const samples = new Samples()
    if (bigSpec === undefined) bed.log('no ../shared/specs/github.json: the big spec is left out')
    await inRounds(bed, () => round(samples))
    return rowsOf(samples)
  },
}

const settleMs = 3000
const idleMs = 5000

async function round(samples: Samples): Promise<void> {
  samples.add('fastify boot', await bootFastify())
  const folder = copyService('jobs', { worker_count: 2 })
  // The first start generates the models.
  await startOnce(samples, 'first', folder)
  await startOnce(samples, 'small', folder)
  if (bigSpec !== undefined) {
    const big = copyBigService(bigSpec)
    await startOnce(samples, 'big first', big)
    await startOnce(samples, 'big', big)
  }
}

async function bootFastify(): Promise<number> {
  const port = await freePort()
  const start = performance.now()
  await using _program = await Program.start(new URL('./peers/fastify.ts', import.meta.url), [String(port)])
  await fetch(`http://127.0.0.1:${port}/ping`)
  return performance.now() - start
}

async function startOnce(samples: Samples, name: string, folder: string): Promise<void> {
  const start = performance.now()
  await using service = await Service.start(folder, 'start')
  samples.add(`${name} boot`, performance.now() - start)
  if (name.endsWith('first')) return
  await delay(settleMs)
  samples.add(`${name} memory`, pssMiB(service.pid))
  const before = cpuMicros(service.pid)
  await delay(idleMs)
  samples.add(`${name} cpu`, ((cpuMicros(service.pid) - before) / 1000 / idleMs) * 100)
}

function rowsOf(samples: Samples): readonly Row[] {
  const rows: readonly Omit<Row, 'figure' | 'bench'>[] = [
    { what: 'small boot', unit: 'ms', goal: atMost(1000) },
    { what: 'first boot', unit: 'ms' },
    { what: 'fastify boot', unit: 'ms' },
    { what: 'small memory', unit: 'MiB', goal: atMost(250) },
    { what: 'small cpu', unit: '% of a core', goal: atMost(1) },
    { what: 'big boot', unit: 'ms', goal: atMost(2000) },
    { what: 'big first boot', unit: 'ms' },
    { what: 'big memory', unit: 'MiB', goal: atMost(250) },
    { what: 'big cpu', unit: '% of a core' },
  ]
  return rows
    .filter(({ what }) => samples.has(what))
    .map((row) => ({
      ...row,
      what: titles[row.what] ?? row.what,
      bench: 'boot',
      figure: samples.of(row.what),
    }))
}

const titles: Readonly<Record<string, string>> = {
  'small boot': 'start to first reply',
  'first boot': 'the same, models generated first',
  'fastify boot': 'the same, hand-written Fastify',
  'small memory': 'idle, two executors: memory (PSS) of all processes',
  'small cpu': 'idle, two executors: processor',
  'big boot': '13 MB spec: start to first reply',
  'big first boot': '13 MB spec: the same, models generated first',
  'big memory': '13 MB spec, idle: memory (PSS) of all processes',
  'big cpu': '13 MB spec, idle: processor',
}
