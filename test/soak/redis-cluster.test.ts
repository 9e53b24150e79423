import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from '../e2e/support/load.ts'
import { describeTally, tally } from '../e2e/support/runs.ts'
import { startService } from '../e2e/support/service.ts'
import { end } from '../e2e/support/storm.ts'
import { RedisCluster } from '../support/redis-cluster.ts'
import { withoutRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

test('a Cluster of three nodes: the slot of a service is moved to another node under load, and everything goes on', {
  skip: withoutRedis,
}, async (t) => {
  await using cluster = await RedisCluster.start('--appendonly', 'yes')
  const yaml = `name: bench\nwith_async: true\nlog_format: json\nspool: on\nbroker_url: ${cluster.url}\n`
  const service = await startService(t, { files: { 'macaron.yaml': yaml } })
  const requesting = load(t, service, { clients: 8, requests: 10_000_000, pauseMs: 0 })
  const more = async () => {
    const runs = service.runs().length + 2_000
    await until(() => service.runs().length >= runs, {
      what: 'more tasks to run',
      timeoutMs: 120_000,
      everyMs: 50,
    })
  }
  await more()
  const { slot, owner } = await cluster.ownerOf('{macaron:bench}:tasks:wait')
  const [other] = cluster.nodes.filter((node) => node !== owner)
  assert.ok(other)
  for (const [from, to] of [
    [owner, other],
    [other, owner],
  ] as const) {
    await cluster.move(slot, from, to)
    await more()
  }
  requesting.stop()
  const { answered, refused } = await requesting.ended
  await service.settled()
  const tasks = await service.tasks()
  const report = tally(service.runs(), answered, tasks.length)
  t.diagnostic(`${describeTally(report)}; refused ${JSON.stringify(Object.fromEntries(refused))}`)
  assert.deepEqual(report.lost, [])
  assert.equal(report.overlaps, 0)
  assert.ok(report.stored >= report.answered)
  await end(service)
})
