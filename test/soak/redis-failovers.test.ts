import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { load } from '../e2e/support/load.ts'
import { seeded } from '../e2e/support/random.ts'
import { describeTally, tally } from '../e2e/support/runs.ts'
import { type RunningService, startService } from '../e2e/support/service.ts'
import { end } from '../e2e/support/storm.ts'
import { RedisGroup } from '../support/redis-group.ts'
import { withoutRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

const rounds = Number(process.env.MACARON_FAILOVERS ?? 5)

/**
 * What a failover may cost: what the master has answered just before its end, and its replica had not got yet; and what it answers when it is back before
 * the sentinels have named the new one, since nobody knows then that it is none any more.
 */
interface Failover {
  readonly killedAt: number
  readonly namedAt: number
}

const lagMs = 1_000

for (const wait of [0, 1])
  test(
    `redis_wait ${wait}: ${rounds} masters are killed under load, and their replicas take over: server and worker go on by themselves`,
    { skip: withoutRedis },
    (t) => survive(t, wait),
  )

/** What was answered and is gone was lost with its master, which is counted; with `redis_wait` there is none. */
async function survive(t: TestContext, wait: number): Promise<void> {
  const random = seeded((line) => t.diagnostic(line))
  await using group = await RedisGroup.start()
  const yaml = `name: bench\nwith_async: true\nlog_format: json\nspool: on\nredis_wait: ${wait}\nbroker_url: ${group.url}\n`
  const service = await startService(t, { files: { 'macaron.yaml': yaml } })
  const requesting = load(t, service, { clients: 8, requests: 10_000_000, pauseMs: 1 })
  const failovers: Failover[] = []
  for (let round = 0; round < rounds; round++) {
    await more(service, random.whole(200, 1500))
    failovers.push(await failOver(group))
  }
  await more(service, 500)
  requesting.stop()
  const { answered, refused } = await requesting.ended
  await service.settled()
  const tasks = await service.tasks()
  const report = tally(service.runs(), answered, tasks.length)
  t.diagnostic(
    `${rounds} failovers; ${describeTally(report)}; refused ${JSON.stringify(Object.fromEntries(refused))}`,
  )
  assert.equal(report.overlaps, 0)
  assert.deepEqual(
    report.lost.filter((key) => !failovers.some((one) => mayCost(one, requesting.answeredAt(key)))),
    [],
    'answered when no master was about to end',
  )
  if (wait > 0) assert.deepEqual(report.lost, [])
  await end(service)
}

async function more(service: RunningService, count: number): Promise<void> {
  const runs = service.runs().length + count
  await until(() => service.runs().length >= runs, {
    what: 'more tasks to run',
    timeoutMs: 120_000,
    everyMs: 50,
  })
}

/** Kills the master, which comes back at once when the other has taken over, and follows it soon. */
async function failOver(group: RedisGroup): Promise<Failover> {
  const { master, replica } = await group.whole()
  const killedAt = performance.now()
  await master.kill()
  await until(async () => (await replica.command('ROLE').catch(() => '')).includes('master'), {
    what: 'the replica to take over',
    timeoutMs: 60_000,
    everyMs: 50,
  })
  await master.start()
  await until(async () => (await group.master()) === replica, { what: 'the sentinels to name it' })
  const namedAt = performance.now()
  await group.whole()
  return { killedAt, namedAt }
}

function mayCost({ killedAt, namedAt }: Failover, at: number): boolean {
  return at > killedAt - lagMs && at < namedAt + lagMs
}
