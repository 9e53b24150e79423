import { freePort } from '../test/support/free-port.ts'
import type { Bed, Bench } from './harness/bed.ts'
import { inRounds } from './harness/bed.ts'
import { load } from './harness/load.ts'
import { cpuMicros } from './harness/processes.ts'
import { Program } from './harness/program.ts'
import { atLeast, atMost, type Goal, type Row } from './harness/report.ts'
import { Samples } from './harness/samples.ts'
import { body, copyService, Service } from './harness/service.ts'
import { settingsFor, waysWith } from './harness/ways.ts'

/** One task fired in an endpoint against the same endpoint without: what it costs in requests and in processor time. No worker runs. */
export const fire: Bench = {
  name: 'fire',
  question: 'What does firing one task, stored before the reply, cost an endpoint?',
  async run(bed) {
    const samples = new Samples()
    await inRounds(bed, () => round(bed, samples))
    return rowsOf(samples)
  },
}

const connectionCounts = [1, 8, 64, 256]
const ways = ['full', 'normal', 'redis', 'fastify'] as const

/** Something that answers `/plain` and `/fire`. */
interface Subject {
  readonly way: (typeof ways)[number]
  readonly port: number
  readonly pid: number
}

async function round(bed: Bed, samples: Samples): Promise<void> {
  await using started = new AsyncDisposableStack()
  const subjects = await startSubjects(bed, started)
  for (const subject of subjects) {
    for (const path of ['plain', 'fire']) await window(subject, { path, connections: 64, seconds: 1 })
  }
  for (const connections of connectionCounts) {
    for (const subject of subjects) {
      for (const path of ['plain', 'fire']) {
        const seen = await window(subject, { path, connections, seconds: bed.seconds })
        samples.add(`${subject.way} ${path} ${connections}`, seen.perSecond)
        samples.add(`${subject.way} ${path} ${connections} cpu`, seen.cpuPerRequest)
      }
    }
    bed.redis?.flush()
  }
}

async function startSubjects({ redis }: Bed, started: AsyncDisposableStack): Promise<readonly Subject[]> {
  const subjects: Subject[] = []
  for (const way of waysWith(redis)) {
    const service = started.use(await Service.start(copyService('jobs', settingsFor(way, redis)), 'serve'))
    subjects.push({ way, port: service.port, pid: service.pid })
  }
  if (redis === undefined) return subjects
  const port = await freePort()
  const entry = new URL('./peers/fastify.ts', import.meta.url)
  const program = started.use(await Program.start(entry, [String(port), String(redis.port)]))
  return [...subjects, { way: 'fastify', port, pid: program.pid }]
}

interface Window {
  readonly path: string
  readonly connections: number
  readonly seconds: number
}

async function window(
  { port, pid }: Subject,
  { path, ...how }: Window,
): Promise<{ perSecond: number; cpuPerRequest: number }> {
  const before = cpuMicros(pid)
  const { perSecond, requests } = await load({ url: `http://127.0.0.1:${port}/${path}`, body, ...how })
  return { perSecond, cpuPerRequest: (cpuMicros(pid) - before) / requests }
}

function rowsOf(samples: Samples): readonly Row[] {
  const measured = ways.filter((way) => samples.has(`${way} plain 64`))
  return [
    ...connectionCounts.flatMap((connections) => measured.map((way) => ratioRow(samples, way, connections))),
    ...(samples.has('redis plain 64') ? connectionCounts.map((count) => againstPeer(samples, count)) : []),
    ...measured.map((way) => cpuRow(samples, way)),
    ...measured.flatMap((way) => ['plain', 'fire'].map((path) => rateRow(samples, way, path))),
  ]
}

const titles = {
  full: 'full',
  normal: 'normal',
  redis: 'on Redis',
  fastify: 'Fastify + await queue.add()',
}

function ratioRow(samples: Samples, way: Subject['way'], connections: number): Row {
  const goals: Partial<Record<Subject['way'], Goal>> =
    connections === 64 ? { full: atLeast(0.7), normal: atLeast(0.85), redis: atLeast(0.75) } : {}
  const goal = goals[way]
  return {
    bench: 'fire',
    what: `${titles[way]}, ${connections} connections: with one fire / without`,
    unit: 'of req/s',
    figure: samples.ratio(`${way} fire ${connections}`, `${way} plain ${connections}`),
    ...(goal === undefined ? {} : { goal }),
  }
}

function againstPeer(samples: Samples, connections: number): Row {
  return {
    bench: 'fire',
    what: `${titles.redis} / ${titles.fastify}, ${connections} connections, with one fire`,
    unit: '×',
    figure: samples.ratio(`redis fire ${connections}`, `fastify fire ${connections}`),
    goal: atLeast(connections === 64 ? 1.4 : 0.95),
  }
}

function cpuRow(samples: Samples, way: Subject['way']): Row {
  const goals: Partial<Record<Subject['way'], Goal>> = { full: atMost(20), normal: atMost(8) }
  const goal = goals[way]
  return {
    bench: 'fire',
    what: `${titles[way]}, 64 connections: server CPU added by one fire`,
    unit: 'µs',
    figure: samples.difference(`${way} fire 64 cpu`, `${way} plain 64 cpu`),
    ...(goal === undefined ? {} : { goal }),
  }
}

function rateRow(samples: Samples, way: Subject['way'], path: string): Row {
  return {
    bench: 'fire',
    what: `${titles[way]}, 64 connections, ${path === 'fire' ? 'with one fire' : 'without'}`,
    unit: 'req/s',
    figure: samples.of(`${way} ${path} 64`),
  }
}
