import { sayReady } from '../harness/ready.ts'
import { openBeeQueue } from './bee-queue.ts'
import { openBullMq } from './bullmq.ts'
import { openPlainjob } from './plainjob.ts'
import { type Payload, type PeerQueue, payload } from './queue.ts'

/**
 * A process that holds one peer's queue and does what it is asked over its channel: `node host.ts PEER WHERE`, where WHERE is a
 * port of Redis or an SQLite file. Answers carry the id of the question.
 */
const openers: Readonly<Record<string, (where: string) => Promise<PeerQueue>>> = {
  bullmq: openBullMq,
  'bee-queue': openBeeQueue,
  plainjob: openPlainjob,
}

interface Question {
  readonly id: number
  readonly ask: 'fill' | 'add' | 'work' | 'hang' | 'ran' | 'rate' | 'waits'
  readonly amount: number
}

const [peer = '', where = ''] = process.argv.slice(2)
const queue = await openers[peer]?.(where)
if (queue === undefined) throw new Error(`no peer is called ${peer}`)
let filled = 0
let ran = 0
// When a twentieth of what was filled had run, and when 95 % had.
const marks: number[] = []
const waits: number[] = []

process.on('message', async (question: Question) => {
  process.send?.({ id: question.id, answer: await answer(queue, question) })
})
sayReady()

async function answer(held: PeerQueue, { ask, amount }: Question): Promise<unknown> {
  switch (ask) {
    case 'fill':
      filled = amount
      return await held.fill(amount, payload)
    case 'add':
      return void (await held.add({ ...payload, firedAt: String(process.hrtime.bigint()) }))
    case 'work':
      return await held.work(amount, run)
    case 'hang':
      return await held.work(1, hang)
    case 'ran':
      return ran
    case 'rate':
      return rate()
    case 'waits':
      return waits
  }
}

/** The no-op, which counts itself and how long it has waited. */
function run({ firedAt }: Payload): void {
  if (firedAt !== undefined) waits.push(Number(process.hrtime.bigint() - BigInt(firedAt)) / 1e6)
  ran += 1
  if (ran === Math.floor(filled * 0.05) || ran === Math.floor(filled * 0.95)) marks.push(performance.now())
}

/** Tasks per second without start and end; undefined while they are being run. */
function rate(): number | undefined {
  const [start, end] = marks
  return start === undefined || end === undefined ? undefined : ((filled * 0.9) / (end - start)) * 1000
}

/** Counts itself and never ends. */
async function hang(): Promise<void> {
  ran += 1
  await new Promise(() => {})
}
