import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { prefixOf } from '../../src/engines/bullmq/keys.ts'
import { makeMessage, makeMessages, parked, store, TestWorker } from '../../src/testing/engine-suite/setup.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { openAt, placeOf } from './bullmq-place.ts'

let redis: RedisServer

/** Tasks `gone` that were parked a minute ago since nobody knew their name, and who parked them. */
async function parkedLongAgo(t: TestContext, count: number) {
  const place = placeOf(t)
  const parking = await openAt(t, redis.url, place)
  const old = await TestWorker.start(parking, { room: { ordinary: 400 } })
  const messages = makeMessages(count).map((message) => ({ ...message, name: 'gone' }))
  await store(parking, ...messages)
  await old.lease(count - 1)
  await Promise.all(old.leases.map((lease) => old.settle(lease, parked('unknown_task'))))
  const key = `${prefixOf(place.service)}:parked`
  for (const { id } of messages) await redis.command('ZINCRBY', key, '-60000', id)
  return { engine: await openAt(t, redis.url, placeOf(t, place.service)), parking, old, place, key, messages }
}

/** How many commands of a name Redis has done. */
async function done(name: string): Promise<number> {
  const stats = await redis.command('INFO', 'commandstats')
  return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1])
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
      const before = await done('evalsha')
      await until(async () => (await witness.counts()).done === 0, { what: 'all to be deleted' })
      const scripts = (await done('evalsha')) - before
      t.diagnostic(`${scripts} scripts for ${tasks} tasks`)
      assert.ok(scripts < tasks / 4)
    })

    test('a look for newly known names that Redis fails at is made again', async (t) => {
      const { engine, old, key, messages } = await parkedLongAgo(t, 3)
      await old.consumption.pause()
      const names: string[] = []
      const worker = await TestWorker.start(engine, { names })
      await redis.command('RENAME', key, `${key}-away`)
      await redis.command('SET', key, 'no list')
      const failures = async () =>
        Number(
          /cmdstat_zrangebyscore:.*failed_calls=(\d+)/.exec(await redis.command('INFO', 'commandstats'))?.[1],
        )
      const before = await failures()
      names.push('gone')
      await until(async () => (await failures()) > before, { what: 'a look to fail' })
      await redis.command('RENAME', `${key}-away`, key)
      await worker.lease(messages.length - 1)
    })

    test('an executor that is replaced is no reason to read them again', async (t) => {
      const { engine } = await parkedLongAgo(t, 300)
      const names = ['known']
      await TestWorker.start(engine, { names, room: { ordinary: 0 } })
      const looks = await done('zrangebyscore')
      const reads = await done('hgetall')
      names.pop()
      await until(async () => (await done('zrangebyscore')) > looks + 3, { what: 'looks meanwhile' })
      names.push('known')
      await until(async () => (await done('zrangebyscore')) > looks + 6, { what: 'looks afterwards' })
      assert.equal(await done('hgetall'), reads)
    })

    test('what was parked long ago is not read again and again; what another worker parks goes on where its name is known', async (t) => {
      const { parking: engine, old, place } = await parkedLongAgo(t, 300)
      const other = await openAt(t, redis.url, placeOf(t, place.service))
      await TestWorker.start(other, { names: ['known'], room: { ordinary: 0 } })
      const before = await done('hgetall')
      const message = { ...makeMessage(), name: 'known' }
      await store(engine, message)
      const lease = await old.lease(300)
      await old.consumption.pause()
      assert.equal(await old.settle(lease, parked('unknown_task')), 'settled')
      await until(async () => (await engine.counts()).queued === 1, { what: 'it to be put back' })
      const reads = (await done('hgetall')) - before
      t.diagnostic(`${reads} tasks read`)
      assert.ok(reads < 100)
    })
  })
