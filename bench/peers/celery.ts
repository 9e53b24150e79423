import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../test/support/until.ts'
import { runPlace } from '../harness/places.ts'
import { family } from '../harness/processes.ts'
import { drainRate } from '../harness/progress.ts'
import type { Redis } from '../harness/redis.ts'
import { killIfThere } from '../harness/service.ts'
import { payload } from './queue.ts'

/** Debian's, which its packages are for, whatever other one comes first in PATH. */
const python = '/usr/bin/python3'

/** Celery where the machine has it (Debian's `python3-celery` and `python3-redis`): prefork, two processes, results kept in Redis. */
export const hasCelery = spawnSync(python, ['-c', 'import celery, redis']).status === 0

/** Tasks per second, of `count` that wait. */
export async function drainCelery(redis: Redis, count: number): Promise<number> {
  const { name, email, note } = payload
  const setting = { redis, waits: '' }
  await script(setting, ['fill', String(count), name, email, note])
  await using _worker = new Worker(setting)
  return await drainRate({ done: async () => redis.keys(1), total: count })
}

/** How long so many tasks waited that were fired with a pause after each, in ms. */
export async function celeryWaits(redis: Redis, fires: number, pauseMs: number): Promise<readonly number[]> {
  const waits = join(runPlace('celery'), 'waits.txt')
  const setting = { redis, waits }
  await using _worker = new Worker(setting)
  const seen = () =>
    existsSync(waits) ? readFileSync(waits, 'utf8').split('\n').slice(0, -1).map(Number) : []
  await script(setting, ['stamp', '1', '0'])
  await until(() => seen().length > 0, { what: 'Celery to run its first task', timeoutMs: 60_000 })
  await script(setting, ['stamp', String(fires), String(pauseMs / 1000)])
  await until(() => seen().length > fires, { what: 'Celery to run them all' })
  return seen().slice(1)
}

interface Setting {
  readonly redis: Redis
  readonly waits: string
}

async function script(setting: Setting, args: readonly string[]): Promise<void> {
  const child = start(['celery_tasks.py', ...args], setting)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`celery_tasks.py ${args[0]} has ended with ${code}`)
}

class Worker implements AsyncDisposable {
  readonly #child: ChildProcess

  constructor(setting: Setting) {
    const quiet = ['--loglevel', 'error', '--without-gossip', '--without-mingle', '--without-heartbeat']
    this.#child = start(
      ['-m', 'celery', '-A', 'celery_tasks', 'worker', '--concurrency', '2', ...quiet],
      setting,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exit = once(this.#child, 'exit')
    for (const pid of family(this.#child.pid ?? 0)) killIfThere(pid)
    await exit
  }
}

function start(args: readonly string[], { redis, waits }: Setting): ChildProcess {
  const env = {
    ...process.env,
    BENCH_REDIS: String(redis.port),
    BENCH_WAITS: waits,
    PYTHONDONTWRITEBYTECODE: '1',
  }
  return spawn(python, args, { cwd: import.meta.dirname, env, stdio: 'ignore' })
}
