import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { makeMessages, store, TestWorker } from '../../src/testing/engine-suite/setup.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { openAt, placeOf } from './bullmq-place.ts'

let redis: RedisServer

/** How many scripts were run. */
async function scriptsRun(): Promise<number> {
  const stats = await redis.command('INFO', 'commandstats')
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1])
}

if (withoutRedis !== false) test('upkeep on Redis', { skip: withoutRedis }, () => undefined)
else
  describe('the upkeep of a service on Redis', () => {
    before(async () => {
      redis = await RedisServer.start()
    })
    after(() => redis.end())

    test('costs no more with more workers: tasks whose time has passed are deleted by one of them', async (t) => {
      const tasks = 2_000
      const place = placeOf(t)
      const witness = await openAt(t, redis.url, place)
      const expiresAt = Date.now() + 5_000
      for (let count = 0; count < 4; count += 1)
        await TestWorker.start(await openAt(t, redis.url, placeOf(t, place.service)), {
          onLease: (lease, self) =>
            void self.settle(lease, { kind: 'done', result: 'null', children: [], expiresAt }),
        })
      await store(witness, ...makeMessages(tasks))
      await until(async () => (await witness.counts()).done === tasks, { what: 'all to be done' })
      const before = await scriptsRun()
      await until(async () => (await witness.counts()).done === 0, { what: 'all to be deleted' })
      const scripts = (await scriptsRun()) - before
      t.diagnostic(`${scripts} scripts for ${tasks} tasks`)
      assert.ok(scripts < tasks * 1.5)
    })
  })
