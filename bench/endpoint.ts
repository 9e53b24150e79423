import { freePort } from '../test/support/free-port.ts'
import { type Bed, type Bench, inRounds } from './harness/bed.ts'
import { load } from './harness/load.ts'
import { cpuMicros } from './harness/processes.ts'
import { Program } from './harness/program.ts'
import { prove } from './harness/proof.ts'
import { atLeast, type Goal, type Row } from './harness/report.ts'
import { Samples } from './harness/samples.ts'
import { body, copyService, Service } from './harness/service.ts'

/** A validated POST that fires nothing, against the same written by hand and the same made from the spec by others: what the whole pipeline costs. */
export const endpoint: Bench = {
  name: 'endpoint',
  question:
    'What does an endpoint of ours cost, beside one written by hand and one that other libraries make from the spec?',
  async run(bed) {
    const samples = new Samples()
    await inRounds(bed, () => round(bed, samples))
    return rowsOf(samples)
  },
}

/** Something that answers `/plain`. */
interface Subject {
  readonly way: Way
  readonly port: number
  readonly pid: number
}

const titles = {
  macaron: 'macaron serve',
  pipeline: 'our HTTP server alone (no store, no logger)',
  fastify: 'hand-written Fastify (replies written by schema, not checked)',
  glue: 'fastify-openapi-glue (replies written by schema, not checked)',
  express: 'hand-written Express + Ajv for body and reply',
  validator: 'express-openapi-validator, body and reply',
}

type Way = keyof typeof titles

const ways: readonly Way[] = ['macaron', 'pipeline', 'fastify', 'glue', 'express', 'validator']
const connections = 64

async function round(bed: Bed, samples: Samples): Promise<void> {
  await using started = new AsyncDisposableStack()
  const subjects = await startSubjects(started)
  for (const { way, port } of subjects) await prove(titles[way], urlOf(port))
  for (const subject of subjects) await window(subject, 1)
  for (const subject of subjects) {
    const seen = await window(subject, bed.seconds)
    samples.add(subject.way, seen.perSecond)
    samples.add(`${subject.way} cpu`, seen.cpuPerRequest)
  }
}

async function startSubjects(started: AsyncDisposableStack): Promise<readonly Subject[]> {
  const service = started.use(await Service.start(copyService('jobs'), 'serve'))
  return [
    { way: 'macaron', port: service.port, pid: service.pid },
    await startProgram(started, 'pipeline', './services/http-alone.ts'),
    await startProgram(started, 'fastify', './peers/fastify.ts'),
    await startProgram(started, 'glue', './peers/fastify-openapi-glue.ts'),
    await startProgram(started, 'express', './peers/express.ts'),
    await startProgram(started, 'validator', './peers/express-openapi-validator.ts'),
  ]
}

async function startProgram(started: AsyncDisposableStack, way: Way, entry: string): Promise<Subject> {
  const port = await freePort()
  const program = started.use(await Program.start(new URL(entry, import.meta.url), [String(port)]))
  return { way, port, pid: program.pid }
}

async function window({ port, pid }: Subject, seconds: number) {
  const before = cpuMicros(pid)
  const { perSecond, requests } = await load({ url: urlOf(port), body, connections, seconds })
  return { perSecond, cpuPerRequest: (cpuMicros(pid) - before) / requests }
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}/plain`
}

function rowsOf(samples: Samples): readonly Row[] {
  return [
    ratioRow(samples, ['macaron', 'fastify'], atLeast(0.9)),
    ratioRow(samples, ['macaron', 'express'], atLeast(1.2)),
    ratioRow(samples, ['macaron', 'glue']),
    ratioRow(samples, ['macaron', 'validator']),
    ratioRow(samples, ['pipeline', 'fastify']),
    ...ways.map((way) => figureRow(samples, way, 'req/s')),
    ...ways.map((way) => figureRow(samples, way, 'µs of CPU per request')),
  ]
}

function ratioRow(samples: Samples, [one, other]: readonly [Way, Way], goal?: Goal): Row {
  return {
    bench: 'endpoint',
    what: `${titles[one]} / ${titles[other]}`,
    unit: 'of req/s',
    figure: samples.ratio(one, other),
    ...(goal === undefined ? {} : { goal }),
  }
}

function figureRow(samples: Samples, way: Way, unit: string): Row {
  const figure = samples.of(unit === 'req/s' ? way : `${way} cpu`)
  return { bench: 'endpoint', what: `${titles[way]}, ${connections} connections`, unit, figure }
}
