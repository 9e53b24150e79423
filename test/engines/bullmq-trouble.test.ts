import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { on } from '../../src/core/events.ts'
import type { Engine, Lease } from '../../src/engines/engine.ts'
import {
  done,
  failed,
  makeMessage,
  makeMessages,
  parked,
  store,
  TestWorker,
} from '../../src/testing/engine-suite/setup.ts'
import { startProgram } from '../support/processes.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { jobKey, openAt, type Place, placeOf } from './bullmq-place.ts'
import { randomFrom } from './store-file.ts'

const parents = new URL('./fixtures/parents-redis.ts', import.meta.url)

let redis: RedisServer

/** A worker that has taken four tasks, one of them to start at most once, and has not heard of it. */
async function takenUnheard(
  t: TestContext,
): Promise<{ proxy: TcpProxy; witness: Engine; worker: TestWorker }> {
  const { proxy, engine, witness } = await apart(t)
  await teachToTake(t)
  const room = { ordinary: 0, alone: 0 }
  const worker = await TestWorker.start(engine, { room })
  await store(witness, ...makeMessages(3), makeMessage({ atMostOnce: true }))
  proxy.muffle()
  room.ordinary = 4
  worker.consumption.more()
  await until(async () => (await witness.counts()).running === 4, { what: 'all to be taken' })
  return { proxy, witness, worker }
}

/** An engine whose network can be cut, and one that sees what is really there. */
async function apart(
  t: TestContext,
): Promise<{ proxy: TcpProxy; engine: Engine; witness: Engine; place: Place }> {
  const proxy = await TcpProxy.start(redis.port)
  t.after(() => proxy.end())
  const place = placeOf(t)
  const engine = await openAt(t, `redis://127.0.0.1:${proxy.port}`, place)
  return { proxy, place, engine, witness: await openAt(t, redis.url, placeOf(t, place.service)) }
}

const rejectsWith = (code: string) => (error: Error & { code?: string }) => error.code === code

/** Until the store takes tasks again. */
async function storesAgain(engine: Engine): Promise<void> {
  const works = () =>
    store(engine, makeMessage({ runAt: Date.now() + 3_600_000 })).then(
      () => true,
      () => false,
    )
  await until(works, { what: 'tasks to be stored again', everyMs: 50 })
}

/** So that Redis has the script that takes tasks: whose answer can't come can't be sent it. */
async function teachToTake(t: TestContext): Promise<void> {
  const engine = await openAt(t, redis.url, placeOf(t))
  await store(engine, makeMessage())
  const worker = await TestWorker.start(engine)
  await worker.lease()
  await worker.consumption.stop()
}

/** How many bytes Redis has received. */
async function received(): Promise<number> {
  return Number(/total_net_input_bytes:(\d+)/.exec(await redis.command('INFO', 'stats'))?.[1])
}

if (withoutRedis !== false) test('trouble with Redis', { skip: withoutRedis }, () => undefined)
else
  describe('with Redis', () => {
    before(async () => {
      redis = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
    })
    after(() => redis.end())

    test('a store whose answer never came is refused in time, and storing the same again doubles nothing', async (t) => {
      const { proxy, engine, witness } = await apart(t)
      const messages = makeMessages(3)
      proxy.muffle()
      const started = performance.now()
      await assert.rejects(engine.enqueue(messages), rejectsWith('STORE_UNREACHABLE'))
      assert.ok(performance.now() - started < 7_000)
      assert.equal((await engine.health()).storing, false)
      proxy.mend()
      await until(
        () =>
          store(engine, ...messages).then(
            () => true,
            () => false,
          ),
        { what: 'the connection', everyMs: 50 },
      )
      assert.equal((await witness.counts()).queued, 3)
    })

    test('while nobody answers, what fires is refused at once or in time, and everything goes on by itself', async (t) => {
      const { proxy, engine } = await apart(t)
      proxy.reset()
      proxy.cut()
      for (let times = 0; times < 5; times++) {
        const started = performance.now()
        await assert.rejects(engine.enqueue([makeMessage()]), rejectsWith('STORE_UNREACHABLE'))
        assert.ok(performance.now() - started < 7_000)
      }
      await assert.rejects(engine.find(makeMessage().id), rejectsWith('STORE_UNREACHABLE'))
      proxy.mend()
      await storesAgain(engine)
      assert.equal((await engine.health()).storing, true)
    })

    test('a connection on which nothing comes is given up after 5 s, and a stop waits little longer', async (t) => {
      const { proxy, engine, witness } = await apart(t)
      const worker = await TestWorker.start(engine)
      await store(witness, makeMessage())
      const lease = await worker.lease()
      const before = proxy.connections
      proxy.cut()
      const started = performance.now()
      const seconds = () => (performance.now() - started) / 1_000
      const counts = assert.rejects(engine.counts(), rejectsWith('STORE_UNREACHABLE'))
      await until(() => proxy.connections > before, { what: 'another connection', timeoutMs: 25_000 })
      t.diagnostic(`another connection after ${seconds()} s`)
      await counts
      t.diagnostic(`told after ${seconds()} s`)
      assert.ok(seconds() < 14, `given up after ${seconds()} s`)
      const settled = worker.settle(lease, done())
      await worker.consumption.stop()
      assert.equal(await settled, 'lost')
      assert.ok(seconds() < 24, `stopped after ${seconds()} s`)
    })

    test('a step that takes long, since the network is slow or tasks are large, is followed by smaller ones', async (t) => {
      const { proxy, engine, witness } = await apart(t)
      const args = JSON.stringify(['x'.repeat(100_000)])
      await store(witness, ...makeMessages(24).map((message) => ({ ...message, args })))
      proxy.slow(300_000)
      const steps: number[] = []
      const taken = () => steps.reduce((sum, count) => sum + count, 0)
      await engine.consume({
        names: () => [],
        keys: () => [],
        slots: () => ({ ordinary: 100 - taken(), alone: 0 }),
        run: (leases) => steps.push(leases.length),
        sweep: async () => true,
      })
      await until(() => taken() === 24, { what: 'all to be taken', timeoutMs: 60_000 })
      t.diagnostic(`steps of ${steps.join(', ')}`)
      assert.ok(Math.max(...steps.slice(1)) < (steps[0] ?? 0))
    })

    test('large tasks that must not start twice come over the slowest network, none of them lost', async (t) => {
      const { proxy, engine, witness } = await apart(t)
      const args = JSON.stringify(['x'.repeat(500_000)])
      const tasks = makeMessages(6).map((message) => ({ ...message, args, atMostOnce: true }))
      await store(witness, ...tasks)
      proxy.slow(100_000)
      const worker = await TestWorker.start(engine)
      // All at once would be longer on their way than their leases hold.
      await until(() => worker.leases.length > 0, { what: 'the first to be taken', timeoutMs: 20_000 })
      proxy.slow(Number.POSITIVE_INFINITY)
      await until(() => worker.leases.length === 6, { what: 'all to be taken', timeoutMs: 20_000 })
      assert.deepEqual(
        worker.leases.map(({ message, attempt }) => [message.id, attempt]).toSorted(),
        tasks.map(({ id }) => [id, 1]).toSorted(),
      )
      assert.equal((await witness.counts()).parked, 0)
    })

    test('what takes longer to be sent than an answer may is stored, by the same connection', async (t) => {
      const { proxy, engine, witness } = await apart(t)
      const large = { ...makeMessage(), args: JSON.stringify(['x'.repeat(900_000)]) }
      proxy.slow(100_000)
      const before = proxy.connections
      assert.deepEqual(await engine.enqueue([large]), [{ stored: true }])
      assert.equal((await witness.find(large.id))?.message.args, large.args)
      assert.equal(proxy.connections, before)
    })

    test('large results go over a slow network once, and are recorded', async (t) => {
      const { proxy, engine, witness } = await apart(t)
      await store(witness, ...makeMessages(45))
      const worker = await TestWorker.start(engine)
      await until(() => worker.leases.length === 45, { what: 'all to be taken' })
      await worker.consumption.pause()
      const before = await received()
      // All at once would take longer than an answer may.
      proxy.slow(400_000)
      const result = JSON.stringify('x'.repeat(100_000))
      const answers = await Promise.all(worker.leases.map((lease) => worker.settle(lease, done(result))))
      assert.deepEqual([...new Set(answers)], ['settled'])
      assert.equal((await witness.counts()).done, 45)
      const sent = ((await received()) - before) / (45 * result.length)
      assert.ok(sent < 1.1, `sent ${sent} times`)
    })

    test('an outcome whose answer never came is recorded once, and counts as settled', async (t) => {
      const { proxy, engine, witness } = await apart(t)
      const kinds = makeMessages(3)
      await store(engine, ...kinds)
      const worker = await TestWorker.start(engine)
      const [first, second, third] = [await worker.lease(0), await worker.lease(1), await worker.lease(2)]
      await worker.consumption.pause()
      proxy.muffle()
      const error = { message: 'busy' }
      const answers = Promise.all([
        worker.settle(first, done('"once"', [makeMessage({ name: 'child' })])),
        worker.settle(second, { kind: 'retry', runAt: Date.now() + 3_600_000, error }),
        worker.settle(third, { kind: 'failed', error, expiresAt: Date.now() + 3_600_000 }),
      ])
      await until(async () => (await witness.counts()).failed === 1, { what: 'Redis to have it' })
      proxy.reset()
      assert.deepEqual(await answers, ['settled', 'settled', 'settled'])
      const counts = await witness.counts()
      assert.deepEqual([counts.done, counts.scheduled, counts.failed, counts.queued], [1, 1, 1, 1])
      assert.equal((await witness.find(second.message.id))?.attempts, 1)
    })

    test('tasks whose taking was never answered go back at no cost, long before their leases run out', async (t) => {
      const { proxy, witness, worker } = await takenUnheard(t)
      assert.deepEqual(worker.leases, [])
      proxy.reset()
      const cut = performance.now()
      await until(() => worker.leases.length === 4, { what: 'all of them' })
      t.diagnostic(`after ${(performance.now() - cut).toFixed(0)} ms`)
      assert.ok(worker.leases.every(({ attempt, suspect }) => attempt === 1 && !suspect))
      assert.equal((await witness.counts()).parked, 0)
    })

    test('a worker that is stopped before it has heard what it took gives that back', async (t) => {
      const { proxy, witness, worker } = await takenUnheard(t)
      proxy.reset()
      await worker.consumption.stop()
      assert.equal((await witness.counts()).queued, 4)
      const next = await TestWorker.start(witness, { room: { ordinary: 4 } })
      await until(() => next.leases.length === 4, { what: 'all of them in another worker' })
      assert.ok(next.leases.every(({ attempt, suspect }) => attempt === 1 && !suspect))
    })

    test('what has run, but can not be recorded before a stop, is not given back as if nobody had seen it', async (t) => {
      const { engine, witness } = await apart(t)
      const worker = await TestWorker.start(engine)
      await store(witness, makeMessage({ atMostOnce: true }))
      const lease = await worker.lease()
      // Neither claims nor outcomes come through, nor a look at what is held.
      const allow = (...rights: readonly string[]) => redis.command('ACL', 'SETUSER', 'default', ...rights)
      await allow('-evalsha', '-eval', '-lrange')
      t.after(() => allow('+@all'))
      t.after(on('lease.lost', ({ atStop }) => void (atStop && allow('+@all'))))
      const refused = async () =>
        Number(/errorstat_NOPERM:count=(\d+)/.exec(await redis.command('INFO', 'errorstats'))?.[1] ?? 0)
      const before = await refused()
      void worker.settle(lease, done())
      await until(async () => (await refused()) > before + 10, { what: 'claims, outcomes and looks to fail' })
      await worker.consumption.stop()
      const { queued, running } = await witness.counts()
      assert.deepEqual({ queued, running }, { queued: 0, running: 1 })
    })

    test('tasks whose taking reaches Redis long after its connection was given up go back at no cost', async (t) => {
      const { proxy, engine, witness } = await apart(t)
      const room = { ordinary: 0, alone: 0 }
      const worker = await TestWorker.start(engine, { room })
      await store(witness, ...makeMessages(3), makeMessage({ atMostOnce: true }))
      proxy.hold()
      const held = proxy.connections
      room.ordinary = 4
      worker.consumption.more()
      await until(() => proxy.connections > held, { what: 'new connections' })
      room.ordinary = 0
      // Longer than it looks for what it may have taken.
      const end = performance.now() + 7_000
      await until(() => performance.now() > end, { what: 'seven seconds' })
      proxy.mend()
      const mended = performance.now()
      room.ordinary = 4
      await until(() => worker.leases.length === 4, { what: 'all of them', timeoutMs: 60_000 })
      t.diagnostic(`after ${(performance.now() - mended).toFixed(0)} ms`)
      assert.equal((await witness.counts()).parked, 0)
      assert.ok(performance.now() - mended < 10_000)
    })

    test('a network that is cut for 10 s costs no lease and runs nothing again', async (t) => {
      const { proxy, engine, witness } = await apart(t)
      await store(engine, ...makeMessages(5))
      const worker = await TestWorker.start(engine, { room: { ordinary: 5 } })
      await worker.lease(4)
      const other = await TestWorker.start(witness)
      proxy.cut()
      const answers = worker.leases.map((lease) => worker.settle(lease, done()))
      const end = performance.now() + 10_000
      await until(() => performance.now() > end, { what: 'ten seconds' })
      assert.equal((await witness.counts()).running, 5)
      proxy.mend()
      assert.deepEqual(new Set(await Promise.all(answers)), new Set(['settled']))
      assert.deepEqual(other.leases, [])
      const late = makeMessage()
      await other.consumption.stop()
      await store(witness, late)
      await until(() => worker.leases.some(({ message }) => message.id === late.id), {
        what: 'it to take tasks again',
      })
    })

    test('a Redis that is killed and started again keeps leases, and takes outcomes', async (t) => {
      const engine = await openAt(t, redis.url, placeOf(t))
      await store(engine, ...makeMessages(50))
      const worker = await TestWorker.start(engine, { room: { ordinary: 20 } })
      await worker.lease(19)
      await redis.kill()
      const answers = worker.leases.map((lease) => worker.settle(lease, done()))
      await assert.rejects(engine.enqueue([makeMessage()]), rejectsWith('STORE_UNREACHABLE'))
      await redis.start()
      assert.deepEqual(new Set(await Promise.all(answers)), new Set(['settled']))
      await worker.lease(39)
      assert.equal(new Set(worker.leases.map(({ message }) => message.id)).size, 40)
    })

    test('a lease that has run out while Redis was away holds again, unless the task was taken since', async (t) => {
      const { proxy, engine, place } = await apart(t)
      const messages = makeMessages(4)
      await store(engine, ...messages)
      const worker = await TestWorker.start(engine, { room: { ordinary: 4 } })
      await worker.lease(3)
      await worker.consumption.pause()
      const [plain, parent, renewed, taken] = worker.leases as [Lease, Lease, Lease, Lease]
      const lockOf = ({ message }: Lease) => `${jobKey(place, message.id)}:lock`
      for (const lease of worker.leases) await redis.command('DEL', lockOf(lease))
      assert.equal(await worker.settle(plain, done()), 'settled')
      assert.equal(await worker.settle(parent, done('null', makeMessages(2, { name: 'child' }))), 'settled')
      assert.equal((await engine.counts()).queued, 2)
      proxy.reset()
      await until(async () => (await redis.command('EXISTS', lockOf(renewed))).includes(':1'), {
        what: 'it to be renewed',
      })
      assert.equal(await worker.settle(renewed, done()), 'settled')
      // As another machine takes it, whose lease has run out in turn.
      await redis.command('HINCRBY', jobKey(place, taken.message.id), 'ats', '1')
      await redis.command('DEL', lockOf(taken))
      assert.equal(await worker.settle(taken, done()), 'lost')
    })

    test('a Redis that has lost its scripts goes on', async (t) => {
      const engine = await openAt(t, redis.url, placeOf(t))
      const worker = await TestWorker.start(engine, {
        onLease: (lease, self) => void self.settle(lease, done()),
      })
      for (let round = 0; round < 5; round++) {
        await redis.command('SCRIPT', 'FLUSH')
        await store(engine, ...makeMessages(20))
        await until(async () => (await engine.counts()).done === 20 * (round + 1), { what: 'all to be done' })
      }
      assert.equal(worker.leases.length, 100)
    })

    test('large arguments and results are sent once to a Redis that has lost its scripts', async (t) => {
      const engine = await openAt(t, redis.url, placeOf(t))
      const large = JSON.stringify(['x'.repeat(400_000)])
      const worker = await TestWorker.start(engine)
      await redis.command('SCRIPT', 'FLUSH')
      const before = await received()
      await store(engine, ...makeMessages(4).map((message) => ({ ...message, args: large })))
      await worker.lease(3)
      await redis.command('SCRIPT', 'FLUSH')
      await Promise.all(worker.leases.map((lease) => worker.settle(lease, done(large))))
      const sent = ((await received()) - before) / (8 * large.length)
      assert.ok(sent < 1.1, `sent ${sent} times`)
    })

    test('a full Redis refuses tasks, is read, takes outcomes and makes room; with room it stores again', async (t) => {
      const place = placeOf(t)
      const engine = await openAt(t, redis.url, place)
      await store(engine, ...makeMessages(2))
      const worker = await TestWorker.start(engine)
      const [lease, other] = [await worker.lease(), await worker.lease(1)]
      await redis.command('CONFIG', 'SET', 'maxmemory', '1mb')
      const told = await engine.enqueue([makeMessage({ args: '["private"]' })]).then(
        () => assert.fail('It was stored'),
        (error: Error & { code?: string }) => error,
      )
      assert.equal(told.code, 'STORE_FULL')
      assert.doesNotMatch(inspect(told, { depth: 10, showHidden: true }), /private/)
      assert.deepEqual([(await engine.health()).storing, (await engine.health()).ok], [false, false])
      assert.equal(
        await worker.settle(lease, { kind: 'done', result: '1', children: [], expiresAt: 1 }),
        'settled',
      )
      assert.equal((await engine.find(lease.message.id))?.state, 'done')
      assert.equal((await engine.list({ state: 'done' })).length, 1)
      await until(async () => (await engine.counts()).done === 0, { what: 'it to make room' })
      const late = worker.settle(other, parked('unknown_task'))
      await until(async () => (await redis.command('ZCARD', jobKey(place, 'failed'))) === ':1\r\n', {
        what: 'it to be parked',
      })
      await redis.command('CONFIG', 'SET', 'maxmemory', '0')
      assert.equal(await late, 'settled')
      assert.equal((await engine.counts()).parked, 1)
      await storesAgain(engine)
    })

    test('outcomes that a full Redis refuses keep none from being recorded that it takes', async (t) => {
      const engine = await openAt(t, redis.url, placeOf(t))
      await store(engine, ...makeMessages(230))
      const worker = await TestWorker.start(engine, { room: { ordinary: 230 } })
      await worker.lease(229)
      await redis.command('CONFIG', 'SET', 'maxmemory', '1mb')
      t.after(() => redis.command('CONFIG', 'SET', 'maxmemory', '0'))
      const failing = worker.leases.slice(0, 220).map((lease) => worker.settle(lease, failed()))
      const began = performance.now()
      for (const lease of worker.leases.slice(220))
        assert.equal(await worker.settle(lease, done()), 'settled')
      const ms = performance.now() - began
      assert.ok(ms < 4_000, `after ${ms} ms`)
      await redis.command('CONFIG', 'SET', 'maxmemory', '0')
      assert.deepEqual(new Set(await Promise.all(failing)), new Set(['settled']))
      assert.equal((await engine.counts()).failed, 220)
    })

    test('leases are renewed while Redis is full, and hold again where they had run out', async (t) => {
      const place = placeOf(t)
      const engine = await openAt(t, redis.url, place)
      await store(engine, ...makeMessages(2))
      const worker = await TestWorker.start(engine)
      const locks = [await worker.lease(), await worker.lease(1)].map(
        ({ message }) => `${jobKey(place, message.id)}:lock`,
      )
      await redis.command('CONFIG', 'SET', 'maxmemory', '1mb')
      t.after(() => redis.command('CONFIG', 'SET', 'maxmemory', '0'))
      const [short = '', gone = ''] = locks
      await redis.command('PEXPIRE', short, '20000')
      await redis.command('DEL', gone)
      const leftMs = async (lock: string) => Number((await redis.command('PTTL', lock)).slice(1))
      for (const lock of locks)
        await until(async () => (await leftMs(lock)) > 25_000, { what: `${lock} to be renewed` })
    })

    test('a worker that starts when Redis is full is known, and runs what makes room', async (t) => {
      const engine = await openAt(t, redis.url, placeOf(t))
      await store(engine, ...makeMessages(3))
      await redis.command('CONFIG', 'SET', 'maxmemory', '1mb')
      t.after(() => redis.command('CONFIG', 'SET', 'maxmemory', '0'))
      const worker = await TestWorker.start(engine, {
        onLease: (lease, self) => void self.settle(lease, done()),
      })
      await until(async () => (await engine.counts()).done === 3, { what: 'all to be done' })
      assert.equal(worker.leases.length, 3)
      assert.equal((await engine.workers()).length, 1)
      const { workers, reasons } = await engine.health()
      assert.equal(workers, 1)
      assert.match(reasons.join(), /memory/)
    })

    test('a Redis that is made a replica takes no writes, which is told; made a master again it goes on', async (t) => {
      const engine = await openAt(t, redis.url, placeOf(t))
      const worker = await TestWorker.start(engine)
      await redis.command('REPLICAOF', '127.0.0.1', '1')
      const refused = await until(
        () =>
          engine.enqueue([makeMessage()]).then(
            () => undefined,
            (error: Error & { code?: string }) => error.code,
          ),
        { what: 'a refusal' },
      )
      assert.match(refused, /STORE_UNWRITABLE|STORE_UNREACHABLE/)
      await redis.command('REPLICAOF', 'NO', 'ONE')
      const message = makeMessage()
      await until(
        () =>
          store(engine, message).then(
            () => true,
            () => false,
          ),
        { what: 'it to be stored', everyMs: 50 },
      )
      await until(() => worker.leases.some((lease) => lease.message.id === message.id), {
        what: 'it to be taken',
      })
    })

    test('a parent has its three children once, wherever its worker is killed between outcome and end', async (t) => {
      const place = placeOf(t)
      const engine = await openAt(t, redis.url, place)
      const count = 100
      await store(engine, ...makeMessages(count, { name: 'parent' }))
      const seed = Date.now()
      t.diagnostic(`seed ${seed}`)
      const random = randomFrom(seed)
      let kills = 0
      const isOver = async () => (await engine.counts()).done === 4 * count
      while (!(await isOver())) {
        const child = startProgram(t, parents, { args: [redis.url, place.service, place.folder] })
        const least = 1 + Math.floor(random() * 60)
        let settled = 0
        child.on('message', () => {
          if (++settled === least) child.kill('SIGKILL')
        })
        const death = once(child, 'exit')
        await Promise.race([death, until(isOver, { what: 'the last tasks', timeoutMs: 60_000 })])
        child.kill('SIGKILL')
        await death
        kills++
      }
      const children = await engine.list({ name: 'child', limit: 10_000 })
      const byParent = Map.groupBy(children, ({ message }) => message.args)
      t.diagnostic(`${kills} kills, ${byParent.size} parents, ${children.length} children`)
      assert.equal(byParent.size, count)
      assert.ok([...byParent.values()].every((own) => own.length === 3))
    })
  })
