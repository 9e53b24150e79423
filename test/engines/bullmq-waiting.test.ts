import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  done,
  makeMessage,
  makeMessages,
  parked,
  store,
  TestWorker,
} from '../../src/testing/engine-suite/setup.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { openAt, placeOf } from './bullmq-place.ts'

let redis: RedisServer

/** How many connections wait in Redis. */
async function blocked(): Promise<number> {
  return Number(/blocked_clients:(\d+)/.exec(await redis.command('INFO', 'clients'))?.[1])
}

const waits = (count: number) =>
  until(async () => (await blocked()) === count, { what: `${count} workers to wait`, everyMs: 1 })

if (withoutRedis !== false) test('waiting for tasks on Redis', { skip: withoutRedis }, () => undefined)
else
  describe('a worker that waits for tasks', () => {
    before(async () => {
      redis = await RedisServer.start()
    })
    after(() => redis.end())

    test('ends that at once when it is to take no more', async (t) => {
      const place = placeOf(t)
      const engine = await openAt(t, redis.url, place)
      const worker = await TestWorker.start(engine)
      const slow = makeMessage()
      await waits(1)
      const began = performance.now()
      await worker.consumption.pause()
      assert.ok(performance.now() - began < 700, `after ${performance.now() - began} ms`)
      await store(engine, slow)
      await worker.consumption.stop()
      assert.deepEqual(worker.leases, [])
      assert.equal((await engine.find(slow.id))?.state, 'queued')
    })

    test('takes what comes to it in that moment, or another does, at no cost', async (t) => {
      const place = placeOf(t)
      const firing = await openAt(t, redis.url, placeOf(t, place.service))
      const messages = makeMessages(60)
      const starts: string[] = []
      let atOnce = 0
      for (const [index, message] of messages.entries()) {
        const engine = await openAt(t, redis.url, placeOf(t, place.service))
        const worker = await TestWorker.start(engine)
        await waits(1)
        const storing = () => store(firing, message)
        const pausing = () => worker.consumption.pause()
        const [first, second] = index % 2 === 0 ? [storing, pausing] : [pausing, storing]
        const one = first()
        // Sooner and later, around the moment in which it comes.
        const end = performance.now() + (index % 20) / 10
        await until(() => performance.now() > end, { what: 'the moment', everyMs: 0 })
        await Promise.all([one, second()])
        const ends = worker.leases.map((lease) => worker.settle(lease, done()))
        assert.ok((await Promise.all(ends)).every((answer) => answer === 'settled'))
        if (worker.leases.some((lease) => lease.message.id === message.id)) atOnce++
        starts.push(...worker.leases.map((lease) => `${lease.message.id} ${lease.attempt}`))
        await worker.consumption.stop()
        await engine.close()
      }
      const last = await TestWorker.start(firing)
      await until(() => starts.length + last.leases.length >= messages.length, { what: 'all to be started' })
      starts.push(...last.leases.map((lease) => `${lease.message.id} ${lease.attempt}`))
      t.diagnostic(`${atOnce} of ${messages.length} by those that were about to end`)
      assert.deepEqual(starts.toSorted(), messages.map(({ id }) => `${id} 1`).toSorted())
    })

    for (const atMostOnce of [false, true]) {
      const what = atMostOnce ? ', one that must not start twice too' : ''
      test(`takes nothing while it is cut off: another has it at once${what}`, async (t) => {
        const place = placeOf(t)
        const proxy = await TcpProxy.start(redis.port)
        t.after(() => proxy.end())
        const cutOff = await TestWorker.start(await openAt(t, `redis://127.0.0.1:${proxy.port}`, place))
        await waits(1)
        proxy.cut()
        const message = makeMessage({ atMostOnce })
        const firing = await openAt(t, redis.url, placeOf(t, place.service))
        await store(firing, message)
        const began = performance.now()
        const other = await TestWorker.start(firing)
        const lease = await other.lease()
        assert.deepEqual([lease.message.id, lease.attempt], [message.id, 1])
        assert.ok(performance.now() - began < 3_000, `after ${performance.now() - began} ms`)
        assert.deepEqual(cutOff.leases, [])
      })
    }

    test('takes no more than there is room for, and all that there is', async (t) => {
      const place = placeOf(t)
      const worker = await TestWorker.start(await openAt(t, redis.url, place), { room: { ordinary: 1 } })
      const firing = await openAt(t, redis.url, placeOf(t, place.service))
      for (let at = 0; at < 30; at += 3) {
        await waits(1)
        await store(firing, ...makeMessages(3))
        for (const index of [at, at + 1, at + 2]) {
          const lease = await worker.lease(index)
          assert.equal(worker.leases.length, index + 1)
          await worker.settle(lease, done())
        }
      }
    })

    test('is told of what comes back without a word of BullMQ', async (t) => {
      const engine = await openAt(t, redis.url, placeOf(t))
      const names: string[] = []
      await store(engine, makeMessage({ name: 'new' }))
      const worker = await TestWorker.start(engine, { names, room: { ordinary: 1 } })
      await worker.settle(await worker.lease(), parked('unknown_task'))
      await waits(1)
      names.push('new')
      await worker.lease(1)
    })

    test('has what is due when it is, though it is told of nothing meanwhile', async (t) => {
      const engine = await openAt(t, redis.url, placeOf(t))
      const worker = await TestWorker.start(engine, { room: { ordinary: 1 } })
      await waits(1)
      for (const [at, delay] of [30, 250, 900, 1_700].entries()) {
        const runAt = Date.now() + delay
        await store(engine, makeMessage({ runAt }))
        const lease = await worker.lease(at)
        const late = Date.now() - runAt
        assert.ok(late >= -2 && late < 500, `${late} ms late`)
        await worker.settle(lease, done())
      }
    })
  })
