import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { Queue } from 'bullmq'
import { on } from '../../src/core/events.ts'
import type { Engine } from '../../src/engines/engine.ts'
import {
  done,
  failed,
  makeMessage,
  makeMessages,
  store,
  TestWorker,
} from '../../src/testing/engine-suite/setup.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { jobKey, openAt, type Place, placeOf } from './bullmq-place.ts'

let redis: RedisServer

/** BullMQ's own queue, as Bull Board has it. */
function queueOf(t: TestContext, { service }: Place): Queue {
  const prefix = `{macaron:${encodeURIComponent(service)}}`
  const queue = new Queue('tasks', { connection: { host: '127.0.0.1', port: redis.port }, prefix })
  t.after(() => queue.close())
  return queue
}

async function parked(engine: Engine, count: number) {
  return await until(
    async () => {
      const tasks = await engine.list({ state: 'parked' })
      return tasks.length === count ? tasks : undefined
    },
    { what: `${count} parked tasks` },
  )
}

if (withoutRedis !== false) test('forged jobs', { skip: withoutRedis }, () => undefined)
else
  describe('in Redis', () => {
    before(async () => {
      redis = await RedisServer.start('--appendonly', 'yes')
    })
    after(() => redis.end())

    test('jobs whose fields were altered until nobody can read them are parked as refused, and the others run', async (t) => {
      const place = placeOf(t)
      const engine = await openAt(t, redis.url, place)
      const alterations = {
        data: ['no JSON', '{"args":1}', '[]', 'null', '{}'],
        opts: ['no JSON', 'null'],
        progress: ['{'],
        parent: ['{'],
      }
      const changes = Object.entries(alterations).flatMap(([field, texts]) =>
        texts.map((text) => [field, text] as const),
      )
      const forged = makeMessages(changes.length)
      const good = makeMessages(5)
      await store(engine, ...forged, ...good)
      for (const [index, [field, text]] of changes.entries())
        await redis.command('HSET', jobKey(place, forged[index]?.id ?? ''), field, text)
      const told: string[] = []
      t.after(on('task.parked', ({ taskId, reason }) => told.push(`${taskId} ${reason}`)))
      const troubles: string[] = []
      t.after(on('store.trouble', ({ message }) => troubles.push(message)))
      const worker = await TestWorker.start(engine, {
        onLease: (lease, self) => void self.settle(lease, done()),
      })
      const tasks = await parked(engine, forged.length)
      assert.deepEqual(
        tasks.map(({ message }) => message.id).toSorted(),
        forged.map(({ id }) => id).toSorted(),
      )
      assert.ok(tasks.every(({ reason, attempts, error }) => reason === 'refused' && attempts === 0 && error))
      assert.deepEqual(
        worker.leases.map(({ message }) => message.id).toSorted(),
        good.map(({ id }) => id).toSorted(),
      )
      await until(() => told.length === forged.length, { what: 'all to be told' })
      assert.deepEqual(troubles, [])
    })

    test('what is no job any more keeps nobody from giving back or parking the others', async (t) => {
      const place = placeOf(t)
      const engine = await openAt(t, redis.url, place)
      const [unreadable, noHash] = [makeMessage(), makeMessage()]
      await store(engine, unreadable, noHash)
      const list = (name: string) => jobKey(place, name)
      await redis.command('DEL', list('wait'))
      // As those that were alive in an executor that died.
      await redis.command('ZADD', list('delayed'), '5e19', unreadable.id, '6e19', noHash.id)
      await redis.command('HSET', jobKey(place, unreadable.id), 'opts', 'no JSON')
      await redis.command('DEL', jobKey(place, noHash.id))
      await redis.command('LPUSH', jobKey(place, noHash.id), 'x')
      const worker = await TestWorker.start(engine)
      await until(
        async () => {
          worker.consumption.more()
          return (await redis.command('ZCARD', list('delayed'))) === ':0\r\n'
        },
        { what: 'both to be taken' },
      )
      const isParked = async () => (await redis.command('ZCARD', list('failed'))) === ':1\r\n'
      await until(isParked, { what: 'the unreadable one to be parked', timeoutMs: 10_000 })
    })

    test('a task that somebody has locked is not deleted, and what deletes others goes on without it', async (t) => {
      const place = placeOf(t)
      const engine = await openAt(t, redis.url, place)
      const messages = makeMessages(3)
      await store(engine, ...messages)
      const worker = await TestWorker.start(engine, {
        onLease: (lease, self) => void self.settle(lease, done()),
      })
      await until(async () => (await engine.counts()).done === 3, { what: 'all to be done' })
      await worker.consumption.stop()
      await redis.command('SET', `${jobKey(place, messages[1]?.id ?? '')}:lock`, 'locked')
      assert.equal(await engine.purge({ states: ['done'] }), 2)
      await redis.command('ZADD', `{macaron:${place.service}}:expires`, '1', messages[1]?.id ?? '')
      assert.equal(await engine.purge({}), 0)
      assert.equal((await engine.counts()).done, 1)
    })

    test('a mended job runs when it is retried', async (t) => {
      const place = placeOf(t)
      const engine = await openAt(t, redis.url, place)
      const message = makeMessage({ args: '["k"]' })
      await store(engine, message)
      const key = jobKey(place, message.id)
      const data = JSON.stringify({ firedAt: message.firedAt, args: message.args, context: message.context })
      await redis.command('HSET', key, 'data', 'no JSON')
      const worker = await TestWorker.start(engine)
      await parked(engine, 1)
      await redis.command('HSET', key, 'data', data)
      assert.deepEqual(await engine.retry(message.id), { done: true })
      assert.deepEqual((await worker.lease()).message, message)
    })

    test('a job that somebody has added is parked as refused, and listed', async (t) => {
      const place = placeOf(t)
      const engine = await openAt(t, redis.url, place)
      await queueOf(t, place).add('sendEmail', { to: 'ada@example.com' })
      const worker = await TestWorker.start(engine)
      const [task] = await parked(engine, 1)
      assert.equal(task?.message.name, 'sendEmail')
      assert.deepEqual(worker.leases, [])
      assert.equal((await engine.list({})).length, 1)
      assert.deepEqual(await engine.remove(task?.message.id ?? ''), { done: true })
    })

    test('who asks for a task by the name of a key of BullMQ’s is told that there is none, and hinders nobody', async (t) => {
      const engine = await openAt(t, redis.url, placeOf(t))
      const worker = await TestWorker.start(engine)
      const [over, held, waits] = [makeMessage(), makeMessage(), makeMessage({ runAt: Date.now() + 60_000 })]
      await store(engine, waits, over, held)
      await worker.settle(await worker.lease(), done())
      await worker.lease(1)
      const keys = ['completed', 'delayed', 'active', 'events', 'meta', 'marker', `${held.id}:lock`, '']
      const none = { done: false, state: undefined }
      for (const id of keys) {
        assert.equal(await engine.find(id), undefined)
        for (const verb of ['cancel', 'retry', 'remove'] as const)
          assert.deepEqual(await engine[verb](id), none)
      }
      const told: (string | undefined)[] = []
      const watches = [...keys, over.id].map((id) => engine.watch(id, (task) => told.push(task?.state)))
      await until(() => told.includes('done'), { what: 'the other watcher to be told' })
      for (const unwatch of watches) unwatch()
      assert.equal((await engine.find(waits.id))?.state, 'scheduled')
    })

    test('BullMQ’s own tools read tasks by their names, in their states, and can retry and remove them', async (t) => {
      const place = placeOf(t)
      const engine = await openAt(t, redis.url, place)
      const queue = queueOf(t, place)
      const waits = makeMessage({ name: 'report' })
      const later = makeMessage({ name: 'later', runAt: Date.now() + 3_600_000 })
      const breaks = makeMessage({ name: 'mail', args: '["Welcome!"]' })
      await store(engine, breaks, later)
      const worker = await TestWorker.start(engine)
      await worker.settle(await worker.lease(), failed('no server'))
      await worker.consumption.stop()
      await store(engine, waits)
      const counts = await queue.getJobCounts('waiting', 'delayed', 'failed')
      assert.deepEqual(counts, { waiting: 1, delayed: 1, failed: 1 })
      const [job] = await queue.getFailed()
      assert.deepEqual([job?.id, job?.name, job?.failedReason], [breaks.id, 'mail', 'no server'])
      assert.equal(job?.data.args, '["Welcome!"]')
      await job?.retry()
      assert.equal((await engine.find(breaks.id))?.state, 'queued')
      await (await queue.getJob(waits.id))?.remove()
      assert.equal(await engine.find(waits.id), undefined)
      const again = await TestWorker.start(engine)
      assert.equal((await again.lease()).message.id, breaks.id)
      assert.equal((await engine.list({})).length, 2)
    })

    test('what Bull Board’s retry leaves in our lists is no parked task any more', async (t) => {
      const place = placeOf(t)
      const engine = await openAt(t, redis.url, place)
      const message = makeMessage()
      await store(engine, message)
      const worker = await TestWorker.start(engine, { room: { ordinary: 1 } })
      const expiresAt = Date.now() + 60_000
      const error = { message: 'not sealed by us' }
      await worker.settle(await worker.lease(), { kind: 'parked', reason: 'refused', error, expiresAt })
      await worker.consumption.stop()
      await (await queueOf(t, place).getJob(message.id))?.retry()
      const next = await TestWorker.start(engine)
      const again = await next.lease()
      // What knows no scripts gets them in their order all the same.
      await redis.command('SCRIPT', 'FLUSH')
      await next.settle(again, failed())
      assert.equal((await engine.find(message.id))?.state, 'failed')
      const counts = await engine.counts()
      assert.deepEqual([counts.parked, counts.failed], [0, 1])
    })

    test('a queue that was paused with BullMQ’s tools says so in its health, and goes on when it is resumed', async (t) => {
      const place = placeOf(t)
      const engine = await openAt(t, redis.url, place)
      const worker = await TestWorker.start(engine)
      const queue = queueOf(t, place)
      await queue.pause()
      const message = makeMessage()
      await store(engine, message)
      const health = await engine.health()
      assert.equal(health.ok, false)
      assert.match(health.reasons.join(), /paused with BullMQ's tools/)
      await queue.resume()
      assert.equal((await worker.lease()).message.id, message.id)
      assert.equal((await engine.health()).ok, true)
    })

    test('an outcome that Redis can’t record for what was done to its job is given up, and told', async (t) => {
      const place = placeOf(t)
      const engine = await openAt(t, redis.url, place)
      const message = makeMessage()
      await store(engine, message)
      const worker = await TestWorker.start(engine)
      await redis.command('HSET', jobKey(place, message.id), 'parentKey', 'made up')
      await redis.command('SET', `${jobKey(place, message.id)}:dependencies`, 'no set')
      const lost: string[] = []
      t.after(on('lease.lost', ({ taskId }) => lost.push(taskId)))
      assert.equal(await worker.settle(await worker.lease(), done()), 'lost')
      assert.deepEqual(lost, [message.id])
      const next = makeMessage()
      await store(engine, next)
      assert.equal(await worker.settle(await worker.lease(1), done()), 'settled')
    })
  })
