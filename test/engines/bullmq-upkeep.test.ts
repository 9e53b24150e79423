import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { Queue } from 'bullmq'
import { prefixOf } from '../../src/engines/bullmq/keys.ts'
import type { Engine } from '../../src/engines/engine.ts'
import {
  done as ended,
  makeMessage,
  makeMessages,
  parked,
  store,
  TestWorker,
} from '../../src/testing/engine-suite/setup.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { openAt, placeOf } from './bullmq-place.ts'

let redis: RedisServer

/** Tasks `gone` that were parked a minute ago since nobody knew their name, and who parked them. */
async function parkedLongAgo(t: TestContext, count: number, args = '[]') {
  const place = placeOf(t)
  const parking = await openAt(t, redis.url, place)
  const old = await TestWorker.start(parking, { room: { ordinary: 400 } })
  const messages = makeMessages(count).map((message) => ({ ...message, name: 'gone', args }))
  await store(parking, ...messages)
  await old.lease(count - 1)
  await Promise.all(old.leases.map((lease) => old.settle(lease, parked('unknown_task'))))
  const key = `${prefixOf(place.service)}:parked`
  for (const { id } of messages) await redis.command('ZINCRBY', key, '-60000', id)
  return { engine: await openAt(t, redis.url, placeOf(t, place.service)), parking, old, place, key, messages }
}

/** How many bytes Redis has sent. */
async function sent(): Promise<number> {
  return Number(/total_net_output_bytes:(\d+)/.exec(await redis.command('INFO', 'stats'))?.[1])
}

/** Has a worker look at so many parked tasks, whose name it doesn't know. */
async function lookAt(
  engine: Engine,
  count: number,
  names: readonly string[] = ['known'],
): Promise<TestWorker> {
  const reads = await done('hmget')
  const worker = await TestWorker.start(engine, { names })
  await until(async () => (await done('hmget')) >= reads + count, { what: 'a look at all' })
  return worker
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

    test('a worker starts where it can’t be looked for parked tasks, and finds them later', async (t) => {
      const { engine, old, key, messages } = await parkedLongAgo(t, 3)
      await old.consumption.pause()
      await redis.command('RENAME', key, `${key}-away`)
      await redis.command('SET', key, 'no list')
      const worker = await TestWorker.start(engine, { names: ['gone'] })
      await redis.command('RENAME', `${key}-away`, key)
      await worker.lease(messages.length - 1)
    })

    test('none is forgotten that an idle older worker parks again in the moment in which it comes back', async (t) => {
      const place = placeOf(t)
      const [older, newer] = [
        await openAt(t, redis.url, place),
        await openAt(t, redis.url, placeOf(t, place.service)),
      ]
      const tasks = 600
      await TestWorker.start(older, {
        room: { ordinary: tasks },
        onLease: (lease, self) => void self.settle(lease, parked('unknown_task')),
      })
      await store(older, ...makeMessages(tasks).map((message) => ({ ...message, name: 'fresh' })))
      await until(async () => (await older.counts()).parked === tasks, { what: 'all to be parked' })
      await TestWorker.start(newer, {
        names: ['fresh'],
        room: { ordinary: 20 },
        onLease: (lease, self) => void self.settle(lease, ended()),
      })
      await until(async () => (await newer.counts()).done === tasks, {
        what: 'all to be run',
        timeoutMs: 60_000,
      })
      assert.equal((await newer.health()).parked, 0)
    })

    test('who looks at parked tasks, or deletes them, reads none of their arguments', async (t) => {
      const { engine } = await parkedLongAgo(t, 100, JSON.stringify(['x'.repeat(50_000)]))
      const before = await sent()
      await lookAt(engine, 100)
      assert.equal(await engine.purge({ states: ['parked'] }), 100)
      const bytes = (await sent()) - before
      t.diagnostic(`${bytes} bytes`)
      assert.ok(bytes < 500_000)
    })

    test('who lists tasks by state or name reads the arguments of no others', async (t) => {
      const engine = await openAt(t, redis.url, placeOf(t))
      const args = JSON.stringify(['x'.repeat(50_000)])
      const sought = makeMessages(3, { name: 'sought', args })
      const runAt = Date.now() + 3_600_000
      await store(engine, ...sought, ...makeMessages(400, { args }), makeMessage({ runAt }))
      const before = await sent()
      const ids = (await engine.list({ name: 'sought' })).map(({ message }) => message.id)
      assert.deepEqual(ids, sought.map(({ id }) => id).toReversed())
      assert.equal((await engine.list({ state: 'scheduled' })).length, 1)
      assert.equal((await engine.list({ state: 'queued', limit: 2 })).length, 2)
      const bytes = (await sent()) - before
      t.diagnostic(`${bytes} bytes`)
      assert.ok(bytes < 1_000_000)
    })

    test('a list of parked tasks loses what is parked no more', async (t) => {
      const { engine, old, place, messages } = await parkedLongAgo(t, 3)
      await old.consumption.pause()
      const [first] = messages
      assert.ok(first)
      const queue = new Queue('tasks', {
        connection: { host: '127.0.0.1', port: redis.port },
        prefix: prefixOf(place.service),
      })
      t.after(() => queue.close())
      await (await queue.getJob(first.id))?.remove()
      assert.equal((await engine.counts()).parked, 3)
      await lookAt(engine, 3)
      await until(async () => (await engine.counts()).parked === 2, { what: 'the entry to be dropped' })
    })

    test('an executor that is replaced is no reason to read them again', async (t) => {
      const { engine } = await parkedLongAgo(t, 300)
      const names = ['known']
      await lookAt(engine, 300, names)
      const looks = await done('zrangebyscore')
      const reads = await done('hmget')
      names.pop()
      await until(async () => (await done('zrangebyscore')) > looks + 3, { what: 'looks meanwhile' })
      names.push('known')
      await until(async () => (await done('zrangebyscore')) > looks + 6, { what: 'looks afterwards' })
      assert.ok((await done('hmget')) < reads + 100)
    })

    test('what was parked long ago is not read again and again; what another worker parks goes on where its name is known', async (t) => {
      const { parking: engine, old, place } = await parkedLongAgo(t, 300)
      const other = await openAt(t, redis.url, placeOf(t, place.service))
      const worker = await lookAt(other, 300)
      const before = await done('hmget')
      const message = { ...makeMessage(), name: 'known' }
      await store(engine, message)
      const lease = await old.lease(300)
      await old.consumption.pause()
      assert.equal(await old.settle(lease, parked('unknown_task')), 'settled')
      assert.equal((await worker.lease(0)).message.id, message.id)
      const reads = (await done('hmget')) - before
      t.diagnostic(`${reads} tasks read`)
      assert.ok(reads < 100)
    })
  })
