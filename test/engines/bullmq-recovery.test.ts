import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { Worker } from 'bullmq'
import { on } from '../../src/core/events.ts'
import { readAddress } from '../../src/engines/bullmq/address.ts'
import { addAll, takeAll } from '../../src/engines/bullmq/bulk.ts'
import { openBullmq } from '../../src/engines/bullmq/engine.ts'
import { Holding } from '../../src/engines/bullmq/held.ts'
import { prefixOf, queueName } from '../../src/engines/bullmq/keys.ts'
import { renew } from '../../src/engines/bullmq/leases.ts'
import { Link } from '../../src/engines/bullmq/link.ts'
import { announce } from '../../src/engines/bullmq/presence.ts'
import { Recovery } from '../../src/engines/bullmq/recovery.ts'
import { Store } from '../../src/engines/bullmq/store.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { done, makeMessage, makeMessages, store, TestWorker } from '../../src/testing/engine-suite/setup.ts'
import { ownFolder } from '../support/folder.ts'
import { startProgram } from '../support/processes.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const consumer = new URL('./fixtures/consume-redis.ts', import.meta.url)

let redis: RedisServer

interface Place {
  readonly service: string
  /** Each machine has its own. */
  readonly folder: string
}

function placeOf(test: TestContext, service = randomUUID()): Place {
  return { service, folder: join(ownFolder(test), '.macaron') }
}

async function opened(test: TestContext, place: Place, now?: () => number): Promise<Engine> {
  const engine = await openBullmq({ url: redis.url, ...place, ...(now && { now }) })
  test.after(() => engine.close())
  const troubles: string[] = []
  const end = on('store.trouble', ({ message }) => troubles.push(message))
  test.after(() => {
    end()
    assert.deepEqual(troubles, [])
  })
  return engine
}

/** What the fixture tells. */
interface Told {
  readonly taken?: readonly string[]
  readonly answers?: readonly string[]
}

interface Holder {
  readonly child: ChildProcess
  readonly told: readonly Told[]
}

/** A worker in a process of its own, that has taken all of `count` tasks and holds them. */
async function holder(test: TestContext, place: Place, count: number): Promise<Holder> {
  const told: Told[] = []
  const child = startProgram(test, consumer, {
    args: [redis.url, place.service, place.folder, String(count)],
  })
  // The fixture sends these.
  child.on('message', (message) => told.push(message as Told))
  await until(() => told.flatMap(({ taken }) => taken ?? []).length === count, {
    what: `${count} tasks taken`,
  })
  return { child, told }
}

/** The tasks of a service, and a worker that only looks for lost leases. */
async function looking(test: TestContext, { service, folder }: Place, url: string) {
  const link = await Link.open(readAddress(url))
  const tasks = new Store(link, { service, now: Date.now, warnings: [] })
  const worker = new Worker(queueName, null, {
    connection: link.client,
    prefix: prefixOf(service),
    autorun: false,
    maxStalledCount: 99,
  })
  test.after(async () => {
    await worker.close(true)
    await tasks.close()
  })
  const recovery = new Recovery({
    owner: 'looks',
    store: tasks,
    queue: worker.getBackend(),
    folder,
    holding: new Holding('looks'),
    sweep: async () => true,
    settle: () => undefined,
  })
  return { tasks, recovery }
}

if (withoutRedis !== false) test('dead workers on Redis', { skip: withoutRedis }, () => undefined)
else
  describe('on Redis', () => {
    before(async () => {
      redis = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
    })
    after(() => redis.end())

    test('who lives takes its leases again after a full Redis, before anybody looks for those that have run out', async (t) => {
      const place = placeOf(t)
      const { tasks, recovery } = await looking(t, place, redis.url)
      await addAll(tasks, [makeMessage()])
      const { taken } = await takeAll(tasks, [{ token: 'lives/1', number: 1 }], 'lives')
      const [held] = taken.map((one) => one.held)
      assert.ok(held)
      await announce(tasks, 'looks', Date.now())
      const look = async () => {
        // How BullMQ keeps others from looking again.
        await redis.command('DEL', tasks.keys.job('stalled-check'))
        return await recovery.lookEverywhere()
      }
      assert.equal(await look(), 0)
      await redis.command('CONFIG', 'SET', 'maxmemory', '1mb')
      t.after(() => redis.command('CONFIG', 'SET', 'maxmemory', '0'))
      await redis.command('DEL', tasks.keys.lock(held.message.id))
      for (let times = 0; times < 2; times++) await assert.rejects(look(), { code: 'STORE_FULL' })
      await redis.command('CONFIG', 'SET', 'maxmemory', '0')
      assert.equal(await look(), 0)
      await renew(tasks, [held])
      assert.equal(await tasks.link.client.get(tasks.keys.lock(held.message.id)), 'lives/1')
    })

    test('the tasks of a worker that was killed on this machine are given back at once, in their order', async (t) => {
      const place = placeOf(t)
      const engine = await opened(t, place)
      const messages = [...makeMessages(250), makeMessage({ atMostOnce: true })]
      await store(engine, ...messages)
      const { child } = await holder(t, place, 251)
      child.kill('SIGKILL')
      await until(() => child.signalCode, { what: 'its end' })
      const alone = await until(
        async () => {
          const health = await engine.health()
          return health.workers === 0 ? health : undefined
        },
        { what: 'it to be missed' },
      )
      assert.match(alone.reasons.join(), /251 tasks were running when the last worker died/)
      const worker = await TestWorker.start(engine, { room: { ordinary: 300 } })
      await worker.lease(249)
      const order = worker.leases.map(({ message }) => message.id)
      assert.deepEqual(
        order,
        messages.slice(0, 250).map(({ id }) => id),
      )
      assert.ok(worker.leases.every(({ attempt, suspect }) => attempt === 1 && !suspect))
      const once = await until(async () => (await engine.list({ state: 'parked' }))[0], {
        what: 'it to be parked',
      })
      assert.deepEqual([once.message.id, once.reason, once.attempts], [messages[250]?.id, 'lost', 1])
    })

    test('a look for lost leases that reaches Redis late, since it stood still, gives back nothing', async (t) => {
      const place = placeOf(t)
      const proxy = await TcpProxy.start(redis.port)
      t.after(() => proxy.end())
      const { tasks, recovery } = await looking(t, place, `redis://127.0.0.1:${proxy.port}`)
      await addAll(tasks, makeMessages(3))
      const claims = [1, 2, 3].map((number) => ({ token: `lives/${number}`, number }))
      const { taken } = await takeAll(tasks, claims, 'lives')
      await announce(tasks, 'looks', Date.now())
      // The first look notes them.
      assert.equal(await recovery.lookEverywhere(), 0)
      const { keys, own } = tasks
      const locks = taken.map(({ held }) => keys.lock(held.message.id))
      await redis.command('DEL', keys.looked)
      proxy.hold()
      const late = recovery.lookEverywhere()
      // What passes while it is on its way.
      await redis.command('DEL', own.worker('looks'), ...locks)
      proxy.mend()
      assert.equal(await late, 0)
      assert.match(await redis.command('LLEN', keys.active), /^:3\b/)
      await announce(tasks, 'looks', Date.now())
      await redis.command('DEL', keys.looked)
      assert.equal(await recovery.lookEverywhere(), 3)
    })

    test('one death counts once, however many workers of its machine see it', async (t) => {
      const place = placeOf(t)
      const witness = await opened(t, { ...placeOf(t), service: place.service })
      const tasks = 100
      const others = await Promise.all(
        [1, 2, 3, 4].map(async () => TestWorker.start(await opened(t, place), { room: { ordinary: 0 } })),
      )
      await store(witness, ...makeMessages(tasks))
      const { child } = await holder(t, place, tasks)
      child.kill('SIGKILL')
      await until(async () => (await witness.counts()).queued === tasks, { what: 'all to be given back' })
      const ids = (await witness.list({ limit: tasks })).map(({ message }) => message.id)
      const key = (id: string) => `${prefixOf(place.service)}:${queueName}:${id}`
      const counted = await Promise.all(ids.map((id) => redis.command('HGET', key(id), 'stc')))
      assert.ok(
        counted.every((count) => /\n1\r/.test(count)),
        counted.join(),
      )
      assert.equal(others.length, 4)
    })

    test('three dead workers make a task run alone, ten park it', async (t) => {
      const place = placeOf(t)
      const engine = await opened(t, place)
      const message = makeMessage()
      await store(engine, message)
      for (let deaths = 1; deaths <= 10; deaths++) {
        const { child } = await holder(t, place, 1)
        child.kill('SIGKILL')
        await until(() => child.signalCode, { what: 'its end' })
        if (deaths !== 3) continue
        const worker = await TestWorker.start(engine)
        assert.equal((await worker.lease()).suspect, true)
        await worker.consumption.stop()
      }
      await TestWorker.start(engine)
      const parked = await until(async () => (await engine.list({ state: 'parked' }))[0], {
        what: 'it to be parked',
      })
      assert.equal(parked.reason, 'poison')
      assert.match(parked.error?.message ?? '', /10 workers have died/)
    })

    test('a worker that stands still loses its tasks after 30 s, to another machine, and what it says then is refused; one that lives keeps its own', async (t) => {
      const place = placeOf(t)
      const engine = await opened(t, { ...placeOf(t), service: place.service })
      const kept = makeMessages(3)
      await store(engine, ...kept)
      const living = await holder(t, place, 3)
      const messages = makeMessages(5)
      await store(engine, ...messages)
      const standing = await holder(t, place, 5)
      standing.child.kill('SIGSTOP')
      const stopped = performance.now()
      const worker = await TestWorker.start(engine)
      await until(() => worker.leases.length === 5, { what: 'the tasks to come again', timeoutMs: 90_000 })
      const seconds = (performance.now() - stopped) / 1000
      t.diagnostic(`after ${seconds.toFixed(1)} s`)
      assert.ok(seconds > 20, `after ${seconds} s`)
      for (const lease of worker.leases) assert.equal(await worker.settle(lease, done('"ours"')), 'settled')
      assert.deepEqual(await answersOf(living), ['settled', 'settled', 'settled'])
      standing.child.kill('SIGCONT')
      assert.deepEqual(await answersOf(standing), ['lost', 'lost', 'lost', 'lost', 'lost'])
      for (const { id } of messages) assert.equal((await engine.find(id))?.result, '"ours"')
    })
  })

/** Lets it settle what it holds, and gives how that was answered. */
async function answersOf({ child, told }: Holder): Promise<readonly string[]> {
  child.send('go on')
  return await until(() => told.find(({ answers }) => answers !== undefined)?.answers, {
    what: 'its answers',
  })
}
