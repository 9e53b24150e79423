import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openBullmq } from '../../src/engines/bullmq/engine.ts'
import { done, makeMessage, makeMessages, store, TestWorker } from '../../src/testing/engine-suite/setup.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { placeOf } from './bullmq-place.ts'

/** A master with a replica, and an engine that asks for it. */
async function pair(t: TestContext) {
  const master = await RedisServer.start('--appendonly', 'yes', '--repl-diskless-sync-delay', '0')
  const replica = await RedisServer.start('--replicaof', `127.0.0.1 ${master.port}`)
  t.after(() => Promise.all([master.end(), replica.end()]))
  // The master counts it only once it has acknowledged the first copy.
  const follows = async () => (await master.command('WAIT', '1', '100')).includes('1')
  await until(follows, { what: 'the replica to follow' })
  const engine = await openBullmq({ url: master.url, ...placeOf(t), replicas: 1 })
  t.after(() => engine.close())
  return { engine, replica }
}

const options = { skip: withoutRedis }

test(
  'with redis_wait a task is stored when a replica has it; where none has it in time it is told, and the same can be stored later',
  options,
  async (t) => {
    const { engine, replica } = await pair(t)
    await store(engine, makeMessage())
    replica.signal('SIGSTOP')
    const message = makeMessage()
    const begun = performance.now()
    await assert.rejects(engine.enqueue([message]), {
      code: 'STORE_UNREPLICATED',
      message: /0 of the 1 replicas/,
    })
    assert.ok(performance.now() - begun < 3_000)
    replica.signal('SIGCONT')
    await store(engine, message)
    assert.equal((await engine.counts()).queued, 2)
  },
)

test(
  'what must not start twice is not handed out before a replica knows that it was taken',
  options,
  async (t) => {
    const { engine, replica } = await pair(t)
    const message = makeMessage({ atMostOnce: true })
    await store(engine, message)
    replica.signal('SIGSTOP')
    const worker = await TestWorker.start(engine)
    const other = makeMessage()
    await engine.enqueue([other]).catch(() => undefined)
    await worker.lease()
    assert.deepEqual(
      worker.leases.map((lease) => lease.message.id),
      [other.id],
    )
    replica.signal('SIGCONT')
    const lease = await worker.lease(1)
    assert.deepEqual([lease.message.id, lease.attempt], [message.id, 1])
    assert.equal(await worker.settle(lease, done()), 'settled')
  },
)

test(
  'what waits for replicas that are missing keeps nothing else from running, nor a stop',
  options,
  async (t) => {
    const { engine, replica } = await pair(t)
    const once = makeMessages(60, { atMostOnce: true })
    await store(engine, ...once)
    replica.signal('SIGSTOP')
    const worker = await TestWorker.start(engine, { room: { ordinary: 20 } })
    const others = makeMessages(30)
    await engine.enqueue(others).catch(() => undefined)
    for (const [at] of others.entries()) await worker.settle(await worker.lease(at), done())
    assert.ok(worker.leases.every(({ message }) => !message.atMostOnce))
    const began = performance.now()
    await worker.consumption.stop()
    const seconds = (performance.now() - began) / 1_000
    assert.ok(seconds < 4, `stopped after ${seconds} s`)
    assert.deepEqual([(await engine.counts()).parked, (await engine.counts()).running], [0, 0])
    replica.signal('SIGCONT')
    const next = await TestWorker.start(engine)
    await next.lease(once.length - 1)
    assert.ok(next.leases.every(({ attempt }) => attempt === 1))
  },
)

test('redis_wait is refused in a Cluster', options, async (t) => {
  const opened = openBullmq({ url: 'redis+cluster://127.0.0.1:1', ...placeOf(t), replicas: 1 })
  await assert.rejects(opened, { code: 'BROKER_INVALID', message: /redis_wait is not possible in a Cluster/ })
})
