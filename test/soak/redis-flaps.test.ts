import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { on } from '../../src/core/events.ts'
import { done, makeMessages, store, TestWorker } from '../../src/testing/engine-suite/setup.ts'
import { type Random, seeded } from '../e2e/support/random.ts'
import { openAt, placeOf } from '../engines/bullmq-place.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const tasks = 12_000
const seconds = 60

test(`three workers whose connections are cut, reset and muffled at random for ${seconds} s run ${tasks} tasks, and go on by themselves`, {
  skip: withoutRedis,
}, async (t) => {
  const random = seeded((line) => t.diagnostic(line))
  const redis = await RedisServer.start('--appendonly', 'yes')
  t.after(() => redis.end())
  const service = randomUUID()
  const witness = await openAt(t, redis.url, placeOf(t, service))
  for (let stored = 0; stored < tasks; stored += 1000) await store(witness, ...makeMessages(1000))
  const lost: string[] = []
  t.after(on('lease.lost', ({ taskId }) => lost.push(taskId)))
  const runs = new Map<string, number>()
  const proxies = [await proxied(), await proxied(), await proxied()]
  const end = performance.now() + seconds * 1000
  await Promise.all(proxies.map((proxy) => trouble(proxy, random, end)))
  await until(async () => (await witness.counts()).done === tasks, {
    what: 'all to be done',
    timeoutMs: 120_000,
  })
  const twice = [...runs.values()].filter((times) => times > 1).length
  t.diagnostic(`${runs.size} tasks, ${twice} ran more than once, ${lost.length} outcomes came too late`)
  assert.equal(runs.size, tasks)
  // A run is doubled only where its outcome was refused.
  assert.ok(twice <= lost.length)

  /** A worker behind a network of its own, whose tasks take a tenth of a second. */
  async function proxied(): Promise<TcpProxy> {
    const proxy = await TcpProxy.start(redis.port)
    t.after(() => proxy.end())
    const engine = await openAt(t, `redis://127.0.0.1:${proxy.port}`, placeOf(t, service))
    await TestWorker.start(engine, {
      room: { ordinary: 20 },
      onLease: (lease, self) => {
        const { id } = lease.message
        runs.set(id, (runs.get(id) ?? 0) + 1)
        setTimeout(() => void self.settle(lease, done()), 100)
      },
    })
    return proxy
  }
})

async function trouble(proxy: TcpProxy, random: Random, end: number): Promise<void> {
  while (performance.now() < end) {
    await delay(random.whole(100, 3000))
    random.pick([() => proxy.cut(), () => proxy.muffle(), () => proxy.reset()])()
    await delay(random.whole(100, 8000))
    if (random.whole(0, 1) === 1) proxy.reset()
    proxy.mend()
  }
}
