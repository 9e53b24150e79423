import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { codeOf } from '../../src/core/errors.ts'
import { on } from '../../src/core/events.ts'
import { bullmqAbilities } from '../../src/engines/bullmq/abilities.ts'
import { openBullmq } from '../../src/engines/bullmq/engine.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { Spool } from '../../src/engines/spool/spool.ts'
import { SpooledEngine } from '../../src/engines/spool/spooled.ts'
import { DamageMark } from '../../src/engines/sqlite/damage.ts'
import { openSqlite } from '../../src/engines/sqlite/engine.ts'
import { WaitingEngine } from '../../src/engines/waiting.ts'
import { newTaskId } from '../../src/tasks/ids.ts'
import type { TaskMessage } from '../../src/tasks/message.ts'
import { done, TestWorker } from '../../src/testing/engine-suite/setup.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

/** Tasks that belong on a Redis which can't take them now: kept on this machine, and forwarded. */

if (withoutRedis !== false) test('the spool', { skip: withoutRedis }, () => undefined)
else
  describe('the spool', () => {
    let redis: RedisServer
    before(async () => {
      redis = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
    })
    after(() => redis.end())

    test('takes what a dead Redis can not, and forwards it once Redis is back, in order and with what it was fired with', async (t) => {
      const { engine, store, folder } = await opened(t, redis.url)
      await redis.kill()
      const soon = Array.from({ length: 250 }, () => message())
      const later = message({ options: '{"delay":3600000}', runAt: Date.now() + 3_600_000 })
      for (const part of [soon.slice(0, 100), soon.slice(100), [later]])
        assert.ok((await engine.enqueue(part)).every(({ stored }) => stored))
      assert.equal((await engine.find(soon[7]?.id ?? ''))?.state, 'queued')
      const away = await engine.health()
      assert.deepEqual([away.ok, away.storing, away.waiting], [false, true, 251])
      assert.match(away.reasons.join(' '), /251 tasks wait in the spool/)
      await redis.start()
      await forwarded(engine)
      const stored = await everything(store)
      assert.deepEqual(
        stored.map(({ message: { id } }) => id),
        [...soon, later].map(({ id }) => id),
      )
      assert.deepEqual(stored.at(-1)?.state, 'scheduled')
      assert.equal(stored.at(-1)?.runAt, later.firedAt + 3_600_000)
      assert.ok(existsSync(join(folder, 'spool/tasks.db')))
    })

    test('a Redis that is silent stores each task once, whichever of both ways it came', async (t) => {
      const { engine, store } = await opened(t, redis.url, { patienceMs: 200 })
      await engine.counts()
      redis.signal('SIGSTOP')
      const fired = Array.from({ length: 50 }, () => message())
      const began = performance.now()
      // The first are on their way to Redis already, which reads them when it goes on; the others are not.
      for (const part of [fired.slice(0, 20), fired.slice(20)])
        assert.ok((await engine.enqueue(part)).every(({ stored }) => stored))
      t.diagnostic(`answered after ${Math.round(performance.now() - began)} ms`)
      redis.signal('SIGCONT')
      await forwarded(engine)
      const stored = await everything(store)
      assert.deepEqual(
        stored.map(({ message: { id } }) => id).toSorted(),
        fired.map(({ id }) => id),
      )
      assert.equal((await store.counts()).queued, 50)
    })

    for (const [what, begin, end] of [
      ['out of memory', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
      ['a replica', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
    ] as const)
      test(`takes what a Redis that is ${what} refuses`, async (t) => {
        const { engine, store } = await opened(t, redis.url)
        await engine.counts()
        await redis.command(...begin)
        const one = message()
        assert.deepEqual(await engine.enqueue([one]), [{ stored: true }])
        assert.match((await engine.health()).reasons.join(' '), /1 task waits in the spool/)
        await redis.command(...end)
        await forwarded(engine)
        assert.equal((await store.find(one.id))?.state, 'queued')
      })

    test('forwards in smaller batches over a network that is too slow for large ones', async (t) => {
      const proxy = await TcpProxy.start(redis.port)
      t.after(() => proxy.end())
      const { engine, store } = await opened(t, `redis://127.0.0.1:${proxy.port}`)
      await redis.kill()
      const args = JSON.stringify(['x'.repeat(100_000)])
      await engine.enqueue(Array.from({ length: 40 }, () => message({ args })))
      // All at once would take twice as long as an answer may.
      proxy.slow(400_000)
      await redis.start()
      await forwarded(engine)
      assert.equal((await store.counts()).queued, 40)
    })

    test('health tells how long the oldest has waited, in the spool or in Redis', async (t) => {
      const { engine } = await opened(t, redis.url)
      const fire = (...minutes: readonly number[]) =>
        engine.enqueue(minutes.map((count) => message({ firedAt: Date.now() - count * 60_000 })))
      const waits = (waiting: number, minutes: number) =>
        until(
          // What the forwarder tries at this moment counts as running there.
          async () => {
            const health = await engine.health()
            return health.waiting === waiting && Math.floor(health.oldestWaitMs / 60_000) === minutes
          },
          { what: `${waiting} to wait, the oldest for ${minutes} min` },
        )
      await fire(10)
      await waits(1, 10)
      await redis.command('CONFIG', 'SET', 'maxmemory', '1')
      await fire(5, 0)
      await waits(3, 10)
      await fire(20)
      await waits(4, 20)
      await redis.command('CONFIG', 'SET', 'maxmemory', '0')
      await forwarded(engine)
    })

    test('two services that share a folder never forward each other’s tasks: the second is told so, and may use the spool once it is empty', async (t) => {
      const one = await opened(t, redis.url)
      const other = await opened(t, redis.url, { folder: one.folder })
      const ofService = new Map([one, other].map((opened) => [opened, [] as string[]]))
      for (const [has, asks] of [
        [one, other],
        [other, one],
        [one, other],
      ] as const) {
        await redis.kill()
        const batch = [message(), message(), message()]
        assert.ok((await has.engine.enqueue(batch)).every(({ stored }) => stored))
        ofService.get(has)?.push(...batch.map(({ id }) => id))
        const [refused] = await asks.engine.enqueue([message()])
        assert.ok(refused?.stored === false)
        assert.equal(codeOf(refused.error), 'SPOOL_OTHER_SERVICE')
        assert.match(refused.error.message, new RegExp(`holds tasks of the service "${has.service}"`))
        await redis.start()
        await forwarded(has.engine)
      }
      for (const [{ store }, ids] of ofService)
        assert.deepEqual(
          (await everything(store)).map(({ message: { id } }) => id),
          ids,
        )
    })

    test('what was parked or cancelled in it keeps it from another service too', async (t) => {
      const one = await opened(t, redis.url)
      await redis.kill()
      const task = message()
      await one.engine.enqueue([task])
      assert.equal((await one.engine.cancel(task.id)).done, true)
      const other = spoolIn(one.folder, { onlyFor: 'another' })
      t.after(() => other.close())
      await assert.rejects(other.retry(task.id), { name: 'StoreError', code: 'SPOOL_OTHER_SERVICE' })
      await redis.start()
      await forwarded(one.engine)
    })

    test('tasks that must not start twice are refused rather than spooled', async (t) => {
      const { engine } = await opened(t, redis.url)
      await redis.kill()
      const [once, other] = await engine.enqueue([message({ atMostOnce: true }), message()])
      assert.ok(once?.stored === false)
      assert.equal(codeOf(once.error), 'STORE_UNREACHABLE')
      assert.equal(other?.stored, true)
      await redis.start()
      await forwarded(engine)
    })

    test('what waits in it can be cancelled, and is never forwarded then', async (t) => {
      const { engine, store, folder } = await opened(t, redis.url)
      await redis.kill()
      const [one, other] = [message(), message()]
      const told: (string | undefined)[] = []
      // Before there is a spool.
      const watches = [one, other].map(({ id }) => engine.watch(id, (task) => told.push(task?.state)))
      await engine.enqueue([one, other])
      await until(async () => (await engine.find(one.id)) !== undefined, { what: 'it to lie in the spool' })
      assert.equal((await engine.cancel(one.id)).done, true)
      assert.equal((await engine.find(one.id))?.state, 'cancelled')
      await until(() => told.includes('cancelled'), { what: 'who waits for it to be told' })
      assert.deepEqual(told, ['cancelled'])
      for (const unwatch of watches) unwatch()
      const looking = spoolIn(folder)
      t.after(() => looking.close())
      for (const [state, { id }] of [
        ['cancelled', one],
        ['queued', other],
      ] as const)
        assert.deepEqual(
          (await looking.list({ state, limit: 1 })).map((found) => found.message.id),
          [id],
        )
      assert.deepEqual(await looking.list({ state: 'running' }), [])
      await redis.start()
      await forwarded(engine)
      assert.equal(await store.find(one.id), undefined)
      assert.equal((await store.find(other.id))?.state, 'queued')
    })

    test('what is cancelled in it is cancelled in a Redis too that had not answered and has it', async (t) => {
      const { engine, store } = await opened(t, redis.url, { patienceMs: 200 })
      await engine.counts()
      await store.counts()
      redis.signal('SIGSTOP')
      const [one, other] = [message(), message()]
      // On its way to Redis, which reads it when it goes on, and in the spool.
      assert.deepEqual(await engine.enqueue([one, other]), [{ stored: true }, { stored: true }])
      await until(async () => (await engine.cancel(one.id)).done, { what: 'it to be cancelled' })
      redis.signal('SIGCONT')
      await forwarded(engine)
      await until(async () => (await store.find(one.id))?.state === 'cancelled', { what: 'Redis to know' })
      assert.equal((await store.find(other.id))?.state, 'queued')
      assert.equal((await store.counts()).queued, 1)
    })

    test('who waits for a task that runs is not told that it was cancelled in the spool', async (t) => {
      const { store, folder } = await opened(t, redis.url)
      const spool = spoolIn(folder, { forwards: false })
      const engine = new SpooledEngine({ store, spool, patienceMs: 1_000 })
      t.after(() => spool.close())
      const twice = message()
      await engine.enqueue([twice])
      const worker = await TestWorker.start(store)
      const lease = await worker.lease(0)
      await spool.enqueue([twice])
      const [told, toldOfSpool]: [unknown[], unknown[]] = [[], []]
      t.after(engine.watch(twice.id, (task) => told.push(task?.state)))
      t.after(spool.watch(twice.id, (task) => toldOfSpool.push(task?.state)))
      assert.equal((await spool.cancel(twice.id)).done, true)
      await until(() => toldOfSpool.length > 0, { what: 'the spool to tell' })
      await worker.settle(lease, done('1'))
      await until(() => told.includes('done'), { what: 'the end to be told' })
      assert.ok(!told.includes('cancelled'))
      await worker.consumption.stop()
    })

    test('what Redis refuses for good is parked there with the reason, and can be seen', async (t) => {
      const { engine } = await opened(t, redis.url)
      await redis.kill()
      // The embedded store takes it; Redis' priorities end earlier.
      const odd = message({ priority: 3_000_000 })
      await engine.enqueue([odd])
      await redis.start()
      await until(async () => (await engine.find(odd.id))?.state === 'parked', { what: 'it to be parked' })
      const found = await engine.find(odd.id)
      assert.deepEqual([found?.reason, found?.error?.code], ['refused', 'STORE_REFUSED'])
      assert.deepEqual(
        (await engine.list({ state: 'parked' })).map(({ message: { id } }) => id),
        [odd.id],
      )
      assert.equal((await engine.health()).parked, 1)
    })

    test('with damage in its middle it forwards what comes before, says so, and takes nothing more', async (t) => {
      const former = await opened(t, redis.url)
      await redis.kill()
      const context = 'x'.repeat(400)
      const fired = Array.from({ length: 300 }, () => message({ context }))
      fired[150] = message({ context: `unreadable${context}` })
      assert.ok((await former.engine.enqueue(fired)).every(({ stored }) => stored))
      await former.engine.close()
      damagePage(join(former.folder, 'spool', 'tasks.db'), 'unreadable')
      await redis.start()
      const { engine, store } = await opened(t, redis.url, former)
      const isDamaged = (reason: string) => /spool of this machine is damaged.*STORE_CORRUPT/.test(reason)
      await until(async () => (await engine.health()).reasons.some(isDamaged), { what: 'health to say so' })
      assert.equal((await engine.health()).storing, true)
      await until(async () => (await store.counts()).queued > 130, {
        what: 'what can be read to be forwarded',
      })
      await redis.kill()
      const [refused] = await engine.enqueue([message()])
      assert.ok(refused?.stored === false)
      assert.equal(codeOf(refused.error), 'STORE_CORRUPT')
      assert.equal((await engine.health()).storing, false)
      await redis.start()
    })

    describe('what other processes do to it, while one goes on that has nothing to forward', () => {
      test('is forwarded, when one has spooled tasks and ended', async (t) => {
        const { store, ...place } = await opened(t, redis.url)
        const other = await opened(t, redis.url, place)
        await redis.kill()
        const left = Array.from({ length: 30 }, () => message())
        assert.ok((await other.engine.enqueue(left)).every(({ stored }) => stored))
        await other.engine.close()
        await redis.start()
        await forwarded(place.engine)
        assert.equal((await store.counts()).queued, 30)
      })

      test('is forwarded, when one has put back what was cancelled', async (t) => {
        const { engine, store, folder } = await opened(t, redis.url)
        await redis.kill()
        const one = message()
        await engine.enqueue([one])
        assert.equal((await engine.cancel(one.id)).done, true)
        await redis.start()
        await until(async () => (await store.health()).storing, { what: 'Redis to be there' })
        const spool = spoolIn(folder, { forwards: false })
        t.after(() => spool.close())
        const command = new SpooledEngine({ store, spool, patienceMs: 1_000 })
        await until(async () => (await command.retry(one.id)).done, { what: 'it to be put back' })
        await until(async () => (await store.find(one.id))?.state === 'queued', { what: 'Redis to have it' })
      })

      test('is cancelled in Redis, when one has cancelled it there', async (t) => {
        const { store, folder } = await opened(t, redis.url)
        const command = spoolIn(folder, { forwards: false })
        t.after(() => command.close())
        const twice = message()
        await command.enqueue([twice])
        assert.equal((await command.cancel(twice.id)).done, true)
        await store.enqueue([twice])
        await until(async () => (await store.find(twice.id))?.state === 'cancelled', {
          what: 'Redis to know',
        })
      })
    })

    test('a Redis that refuses what is forwarded is told of once, and when it takes it again', async (t) => {
      const first = await opened(t, redis.url)
      // Both of its connections have nothing to tell of then.
      for (const one of [first.engine, first.store]) await one.counts()
      await redis.kill()
      await first.engine.enqueue([message(), message()])
      await first.engine.close()
      await redis.start()
      await redis.command('CONFIG', 'SET', 'maxmemory', '1')
      const told: string[] = []
      t.after(on('store.trouble', ({ code }) => told.push(code)))
      const { engine } = await opened(t, redis.url, first)
      await until(() => told.length > 0, { what: 'the reason to be told' })
      t.after(on('store.well', () => told.push('well')))
      await redis.command('CONFIG', 'SET', 'maxmemory', '0')
      await forwarded(engine)
      await until(() => told.includes('well'), { what: 'the end of it to be told' })
      assert.deepEqual(told, ['STORE_FULL', 'well'])
    })

    test('a full spool refuses, loses nothing, and takes tasks again when it has been forwarded', async (t) => {
      const { engine, store } = await opened(t, redis.url, { maxBytes: 2 ** 20 })
      await redis.kill()
      const large = () => message({ args: JSON.stringify(['x'.repeat(20_000)]) })
      let kept = 0
      for (;;) {
        const [answer] = await engine.enqueue([large()])
        if (answer?.stored) kept++
        else {
          assert.equal(codeOf(answer?.error), 'SPOOL_FULL')
          assert.match(String(answer?.error.message), /spool_limit/)
          break
        }
      }
      t.diagnostic(`${kept} tasks of 20 kB in 1 MiB`)
      assert.ok(kept > 20 && kept < 52)
      await redis.start()
      await forwarded(engine)
      assert.equal((await store.counts()).queued, kept)
      await redis.kill()
      assert.deepEqual(await engine.enqueue([large()]), [{ stored: true }])
      await redis.start()
      await forwarded(engine)
    })

    test('a spool full of small tasks is forwarded by the next process too', async (t) => {
      const first = await opened(t, redis.url, { maxBytes: 2 ** 20 })
      await redis.kill()
      let kept = 0
      for (let refused = 0, n = 0; refused < 100; n++) {
        // Not claimed in the order in which they were stored.
        const batch = refused > 0 || n % 2 ? [message()] : [message({ priority: (n * 5) % 9 }), message()]
        const answers = await first.engine.enqueue(batch)
        kept += answers.filter(({ stored }) => stored).length
        refused += answers.filter(({ stored }) => !stored).length
      }
      await first.engine.close()
      const { engine, store } = await opened(t, redis.url, { ...first, maxBytes: 2 ** 20 })
      assert.equal((await engine.health()).waiting, kept)
      await redis.start()
      await forwarded(engine)
      await until(async () => (await store.counts()).queued === kept, { what: 'all to be in Redis' })
    })
  })

interface Opened {
  readonly engine: Engine
  /** The same Redis, without a spool. */
  readonly store: Engine
  readonly folder: string
  readonly service: string
}

async function opened(
  t: TestContext,
  url: string,
  options: { patienceMs?: number; maxBytes?: number; folder?: string; service?: string } = {},
): Promise<Opened> {
  const { folder = mkdtempSync(join(tmpdir(), 'macaron-test-')), service = `spool ${randomUUID()}` } = options
  const open = () => openBullmq({ url, service, folder })
  const store = new WaitingEngine({ abilities: bullmqAbilities, open })
  const other = new WaitingEngine({ abilities: bullmqAbilities, open })
  const engine = new SpooledEngine({
    store,
    spool: spoolIn(folder, { ...options, onlyFor: service }),
    patienceMs: options.patienceMs ?? 1_000,
  })
  t.after(async () => {
    await Promise.all([engine.close(), other.close()])
    rmSync(folder, { recursive: true, force: true })
  })
  return { engine, store: other, folder, service }
}

function spoolIn(
  folder: string,
  { maxBytes, onlyFor, forwards = true }: { maxBytes?: number; onlyFor?: string; forwards?: boolean } = {},
): Spool {
  const place = join(folder, 'spool')
  return new Spool({
    open: () =>
      openSqlite({
        folder: place,
        sync: 'full',
        role: 'server',
        ...(maxBytes === undefined ? {} : { maxBytes }),
        ...(onlyFor === undefined ? {} : { onlyFor }),
      }),
    exists: () => existsSync(join(place, 'tasks.db')),
    isDamaged: () => new DamageMark(join(place, 'tasks.db')).isSet(),
    forwards,
  })
}

function message(own: Partial<TaskMessage> = {}): TaskMessage {
  const firedAt = Date.now()
  return {
    id: newTaskId(firedAt),
    name: 'note',
    queue: 'default',
    priority: 0,
    runAt: 0,
    firedAt,
    atMostOnce: false,
    args: '["k"]',
    options: '{}',
    context: 'sealed',
    ...own,
  }
}

/** Overwrites the page that holds `text`, of a database that nobody has open. */
function damagePage(file: string, text: string): void {
  const content = readFileSync(file)
  const page = Math.floor(content.indexOf(text) / 4_096) * 4_096
  writeFileSync(file, content.fill(0xff, page, page + 4_096), { flag: 'r+' })
}

async function forwarded(engine: Engine): Promise<void> {
  await until(
    async () => {
      const { reasons, storing } = await engine.health()
      return storing && !reasons.some((reason) => reason.includes('spool'))
    },
    { what: 'the spool to be forwarded', timeoutMs: 30_000 },
  )
}

/** In the order of firing. Where Redis was away when it was to be opened, that is tried again by itself. */
async function everything(store: Engine) {
  await until(async () => (await store.health()).storing, { what: 'the other engine to be open' })
  return (await store.list({ limit: 10_000 })).toReversed()
}
