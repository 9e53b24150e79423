import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../test/support/until.ts'
import { type Bed, type Bench, inRounds } from './harness/bed.ts'
import { parentOf } from './harness/processes.ts'
import type { Redis } from './harness/redis.ts'
import { atMost, type Goal, type Row } from './harness/report.ts'
import { Samples } from './harness/samples.ts'
import { copyService, killIfThere, Service, type Settings } from './harness/service.ts'
import { settingsFor } from './harness/ways.ts'
import { bullMqRerunMs } from './peers/recovery.ts'

/** A task is running when something is killed hard: how long until it runs again. */
export const recovery: Bench = {
  name: 'recovery',
  question: 'How long until a task runs again when what ran it was killed?',
  async run(bed) {
    const samples = new Samples()
    await inRounds(bed, () => round(bed, samples))
    if (bed.redis !== undefined) await addLost(bed, samples, bed.redis)
    return rowsOf(samples)
  },
}

async function round({ redis }: Bed, samples: Samples): Promise<void> {
  for (const way of redis === undefined ? (['full'] as const) : (['full', 'redis'] as const)) {
    redis?.flush()
    const settings = settingsFor(way, redis)
    samples.add(`${way} executor`, await rerunMs(settings, (executor) => killIfThere(executor)))
    samples.add(`${way} worker`, await rerunMs(settings, (executor) => killIfThere(parentOf(executor) ?? 0)))
    samples.add(`${way} everything`, await rerunAfterRestartMs(settings))
  }
}

async function addLost(bed: Bed, samples: Samples, redis: Redis): Promise<void> {
  redis.flush()
  bed.log('a machine that is lost, once, for it takes half a minute')
  samples.add(
    'machine',
    await rerunElsewhereMs({ ...settingsFor('redis', redis), seal_keys: `[${sealKey}]` }),
  )
  redis.flush()
  bed.log('BullMQ with its defaults, once, for it takes a minute or more')
  samples.add('bullmq', await bullMqRerunMs(String(redis.port)))
}

const sealKey = 'what-two-machines-seal-their-tasks-with-in-this-bench'

/** Starts the task, kills something, and tells how long after that it has started again. */
async function rerunMs(settings: Settings, kill: (executor: number) => void): Promise<number> {
  const folder = copyService('jobs', { ...settings, worker_count: 2 })
  await using service = await Service.start(folder, 'start')
  const { pid } = await firstStart(service)
  const killedAt = process.hrtime.bigint()
  kill(pid)
  return msBetween(killedAt, (await startOf(folder, 1)).at)
}

/** The same with all that runs on one machine killed for good, until another machine has it, as a folder of its own. */
async function rerunElsewhereMs(settings: Settings): Promise<number> {
  const [folder, other] = [copyService('jobs', settings), copyService('jobs', settings)]
  await using lost = await Service.start(folder, 'start')
  await firstStart(lost)
  await using _stays = await Service.start(other, 'start')
  const killedAt = process.hrtime.bigint()
  lost.kill()
  return msBetween(killedAt, (await startOf(other, 0)).at)
}

/** The same with all processes killed, from the moment the service is started again. */
async function rerunAfterRestartMs(settings: Settings): Promise<number> {
  const folder = copyService('jobs', { ...settings, worker_count: 2 })
  {
    await using service = await Service.start(folder, 'start')
    await firstStart(service)
  }
  const restartedAt = process.hrtime.bigint()
  await using _restarted = await Service.spawn(folder, 'start')
  return msBetween(restartedAt, (await startOf(folder, 1)).at)
}

async function firstStart(service: Service): Promise<Start> {
  await service.post('/hold')
  return await startOf(service.folder, 0)
}

/** What the task writes down when it starts. */
interface Start {
  /** The executor's pid. */
  readonly pid: number
  /** On the system's monotonic clock, in ns. */
  readonly at: bigint
}

async function startOf(folder: string, index: number): Promise<Start> {
  const file = join(folder, 'starts.txt')
  const read = () =>
    existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1)[index] : undefined
  const line = await until(read, { what: `start ${index + 1} of the task`, timeoutMs: 60_000, everyMs: 2 })
  const [pid = '', at = ''] = line.split(' ')
  return { pid: Number(pid), at: BigInt(at) }
}

function msBetween(start: bigint, end: bigint): number {
  return Number(end - start) / 1e6
}

function rowsOf(samples: Samples): readonly Row[] {
  const titles: readonly [name: string, what: string, goal?: Goal][] = [
    ['full executor', 'executor killed: until the task runs in another', atMost(100)],
    ['full worker', 'worker killed: until the task runs again, restart included', atMost(1000)],
    ['full everything', 'everything killed: from the new start until the task runs again'],
    ['redis executor', 'on Redis, executor killed', atMost(100)],
    ['redis worker', 'on Redis, worker killed, restart included', atMost(1000)],
    ['redis everything', 'on Redis, everything killed: from the new start'],
    ['machine', 'on Redis, a machine lost for good: until the task runs on another', atMost(35_000)],
    ['bullmq', 'BullMQ with defaults, its worker killed and restarted'],
  ]
  return titles
    .filter(([name]) => samples.has(name))
    .map(([name, what, goal]) => ({
      bench: 'recovery',
      what,
      unit: 'ms',
      figure: samples.of(name),
      ...(goal === undefined ? {} : { goal }),
    }))
}
