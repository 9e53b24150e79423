import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { load } from '../e2e/support/load.ts'
import { signal } from '../e2e/support/processes.ts'
import { seeded } from '../e2e/support/random.ts'
import { describeTally, tally } from '../e2e/support/runs.ts'
import { type RunningService, startService } from '../e2e/support/service.ts'
import { end } from '../e2e/support/storm.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

const wanted = Number(process.env.MACARON_TASKS ?? 100_000)
const victims = ['server', 'worker', 'executor', 'redis', 'redis for a while', 'everything'] as const

for (const spool of ['on', 'off'] as const)
  test(
    `${wanted / 2} tasks on Redis, spool ${spool}: kills of servers, workers, executors, Redis and all of it lose nothing that was answered`,
    {
      skip: withoutRedis,
    },
    (t) => survive(t, spool),
  )

/** Something is killed whenever some more tasks have run. Every fire is flushed to Redis' disk before it is answered. */
async function survive(t: TestContext, spool: 'on' | 'off'): Promise<void> {
  const random = seeded((line) => t.diagnostic(line))
  const redis = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
  t.after(() => redis.end())
  const yaml = `name: bench\nwith_async: true\nlog_format: json\nspool: ${spool}\nbroker_url: ${redis.url}\n`
  let service = await startService(t, { files: { 'macaron.yaml': yaml } })
  const requesting = load(t, service, { clients: 8, requests: 10_000_000, pauseMs: 0 })
  const kills: Record<string, number> = {}
  for (let ran = 0; ran < wanted / 2; ran = service.runs().length) {
    await more(service, ran + random.whole(50, 1500))
    const victim = random.pick(victims)
    kills[victim] = (kills[victim] ?? 0) + 1
    if (victim === 'everything') service = await startAgain(t, service)
    else if (victim.startsWith('redis')) await killRedis(redis, service, victim !== 'redis' && spool === 'on')
    else for (const pid of service.pids(victim as 'server').slice(0, 1)) signal(pid, 'SIGKILL')
  }
  requesting.stop()
  const { answered, refused } = await requesting.ended
  await service.settled()
  const tasks = await service.tasks()
  const report = tally(service.runs(), answered, tasks.length)
  t.diagnostic(
    `kills ${JSON.stringify(kills)}; ${describeTally(report)}; refused ${JSON.stringify(Object.fromEntries(refused))}`,
  )
  assert.deepEqual(report.lost, [])
  assert.equal(report.overlaps, 0)
  assert.ok(report.stored >= report.answered)
  assert.ok(tasks.every(({ state }) => state === 'done'))
  await end(service)
}

async function more(service: RunningService, runs: number): Promise<void> {
  await until(() => service.runs().length >= runs, {
    what: 'more tasks to run',
    timeoutMs: 120_000,
    everyMs: 50,
  })
}

async function startAgain(t: TestContext, service: RunningService): Promise<RunningService> {
  service.killAll()
  await until(() => service.isGone(), { what: 'every process to be gone' })
  return await startService(t, { folder: service.folder, port: service.port })
}

/** `toSpool`: it stays away until tasks were spooled. */
async function killRedis(redis: RedisServer, service: RunningService, toSpool: boolean): Promise<void> {
  await redis.kill()
  if (toSpool) await until(() => hasSpooled(service), { what: 'tasks to go to the spool', everyMs: 50 })
  await redis.start()
}

/** That they do is logged once for as long as the spool isn't empty. */
async function hasSpooled(service: RunningService): Promise<boolean> {
  const health = await service.get('/health/ready').catch(() => undefined)
  return /tasks? waits? in the spool/.test(JSON.stringify(health?.body ?? ''))
}
