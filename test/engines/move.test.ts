import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import type { Engine } from '../../src/engines/engine.ts'
import { Move } from '../../src/engines/move.ts'
import { TestWorker } from '../../src/testing/engine-suite/setup.ts'
import { bin, cleanEnvironment, cli } from '../e2e/support/cli.ts'
import { seeded } from '../e2e/support/random.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { left, messages, stores } from './move-stores.ts'

/** `macaron tasks move` between the embedded store and Redis. */

let redis: RedisServer

if (withoutRedis !== false) test('moving tasks', { skip: withoutRedis }, () => undefined)
else
  describe('moving tasks', () => {
    before(async () => {
      redis = await RedisServer.start('--appendonly', 'yes')
    })
    after(() => redis.end())

    for (const [from, to] of [
      ['sqlite', 'redis'],
      ['redis', 'sqlite'],
    ] as const)
      test(`from ${from} to ${to}, killed again and again: nothing is lost, nothing doubled, and all is as it was fired`, async (t) => {
        const random = seeded((line) => t.diagnostic(line))
        const { folder, engines, urls } = await stores(t, redis.url)
        const fired = messages(6000)
        for (let at = 0; at < fired.length; at += 1000)
          await engines[from].enqueue(fired.slice(at, at + 1000))
        let kills = 0
        for (; kills < 5; kills++) {
          const child = spawn(
            process.execPath,
            [bin, 'tasks', 'move', '--from', urls[from], '--to', urls[to], '--service', folder],
            { env: cleanEnvironment(), stdio: 'ignore' },
          )
          const goal = (await left(engines[to])) + random.whole(1, 900)
          await until(async () => child.exitCode !== null || (await left(engines[to])) >= goal, {
            what: 'some to be moved',
            everyMs: 1,
          })
          child.kill('SIGKILL')
          if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
        }
        const answer = await cli([
          'tasks',
          'move',
          '--from',
          urls[from],
          '--to',
          urls[to],
          '--json',
          '--service',
          folder,
        ])
        assert.equal(answer.code, 0, answer.stderr)
        t.diagnostic(
          `${kills} kills; the last run moved ${JSON.parse(answer.stdout).moved} of ${fired.length}`,
        )
        assert.equal(await left(engines[from]), 0)
        const moved = (await engines[to].list({ limit: 100_000 })).toReversed()
        assert.deepEqual(
          moved.map(({ message: { id, args, priority, queue } }) => ({ id, args, priority, queue })),
          fired.map(({ id, args, priority, queue }) => ({ id, args, priority, queue })),
        )
        const later = moved.filter(({ state }) => state === 'scheduled')
        assert.deepEqual(
          later.map(({ runAt }) => runAt),
          fired.filter(({ runAt }) => runAt > 0).map(({ runAt }) => runAt),
        )
      })

    test('there and back within minutes: nothing counts as stored that was only taken away', async (t) => {
      const { engines } = await stores(t, redis.url)
      const fired = messages(10)
      const ids = async (engine: Engine) =>
        (await engine.list({ limit: 100 })).map(({ message }) => message.id).toReversed()
      for (const [name, other] of [
        ['redis', 'sqlite'],
        ['sqlite', 'redis'],
      ] as const) {
        const [from, to] = [engines[name], engines[other]]
        await from.enqueue(fired)
        assert.equal(await move(from, to), 10)
        assert.equal(await move(to, from), 10)
        assert.deepEqual(
          await ids(from),
          fired.map(({ id }) => id),
        )
        assert.equal(await left(to), 0)
        for (const { id } of fired) await from.remove(id)
      }
    })

    test('where nothing is to be moved, and where all is scheduled, it ends', async (t) => {
      const { engines } = await stores(t, redis.url)
      const [, , later] = messages(3)
      assert.ok(later)
      for (const [from, to] of [
        [engines.redis, engines.sqlite],
        [engines.sqlite, engines.redis],
      ] as const) {
        assert.equal(await move(from, to), 0)
        await from.enqueue([{ ...later, runAt: Date.now() + 3_600_000 }])
        assert.equal(await move(from, to), 1)
        assert.equal(await move(from, to), 0)
        for (const { message } of await to.list({})) await to.remove(message.id)
      }
    })

    test('back to a store that has not deleted yet what was taken from it: nothing is lost', async (t) => {
      const { engines } = await stores(t, redis.url)
      const [message] = messages(2).slice(1)
      assert.ok(message)
      await engines.sqlite.enqueue([message])
      const worker = await TestWorker.start(engines.sqlite)
      await worker.settle(await worker.lease(), { kind: 'done', result: '', children: [], expiresAt: 0 })
      await worker.consumption.stop()
      await engines.redis.enqueue([message])
      assert.equal(await move(engines.redis, engines.sqlite), 1)
      assert.equal(await left(engines.sqlite), 1)
    })

    test('a store whose workers are alive is left alone', async (t) => {
      const { folder, engines, urls } = await stores(t, redis.url)
      const consumption = await engines.redis.consume({
        names: () => [],
        keys: () => [],
        slots: () => ({ ordinary: 0, alone: 0 }),
        run: () => undefined,
        sweep: async () => true,
      })
      await engines.redis.enqueue(messages(3))
      const answer = await cli([
        'tasks',
        'move',
        '--from',
        urls.redis,
        '--to',
        'sqlite:',
        '--service',
        folder,
      ])
      assert.equal(answer.code, 1)
      assert.match(answer.stderr, /A worker runs tasks.*\[WORKERS_ALIVE\]/s)
      assert.equal(await left(engines.redis), 3)
      await consumption.stop()
    })

    test('a URL may be named by an environment variable', async (t) => {
      const { folder, engines } = await stores(t, redis.url)
      await engines.sqlite.enqueue(messages(7))
      const args = ['tasks', 'move', '--from', 'sqlite:', '--to', 'NEW_STORE', '--json', '--service', folder]
      const answer = await cli(args, { env: { NEW_STORE: redis.url } })
      assert.deepEqual(JSON.parse(answer.stdout), { moved: 7, left: 0, parked: 0, lost: 0 })
    })

    test('the same store twice, and a store that is no store, are refused', async (t) => {
      const { folder, engines, urls } = await stores(t, redis.url)
      await engines.sqlite.enqueue(messages(6))
      await engines.redis.enqueue(messages(6))
      for (const [one, other] of [
        ['sqlite:', 'sqlite:'],
        ['sqlite:', 'sqlite:.macaron'],
        [urls.redis, urls.redis.replace('127.0.0.1', 'localhost')],
      ] as const) {
        const same = await cli(['tasks', 'move', '--from', one, '--to', other, '--service', folder])
        assert.match(same.stderr, /\[SAME_STORE\]/)
      }
      assert.deepEqual([await left(engines.sqlite), await left(engines.redis)], [6, 6])
      const none = await cli(['tasks', 'move', '--from', 'sqlite:', '--to', 'mysql:x', '--service', folder])
      assert.match(none.stderr, /\[BROKER_UNSUPPORTED\]/)
      assert.equal(none.code, 78)
    })
  })

async function move(from: Engine, to: Engine): Promise<number> {
  const moving = new Move({ from, to, onProgress: () => undefined })
  const { moved } = await moving.run()
  await moving.stop()
  return moved
}
