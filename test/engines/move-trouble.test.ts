import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { after, before, describe, type TestContext, test } from 'node:test'
import { prefixOf } from '../../src/engines/bullmq/keys.ts'
import type { Consumer, Engine, Lease } from '../../src/engines/engine.ts'
import { Move } from '../../src/engines/move.ts'
import type { TaskMessage } from '../../src/tasks/message.ts'
import { bin, cleanEnvironment, cli } from '../e2e/support/cli.ts'
import { seeded } from '../e2e/support/random.ts'
import { startProgram } from '../support/processes.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { left, messages, type Stores, stores } from './move-stores.ts'

/** `macaron tasks move` that is stopped, killed or held up on its way. */

let redis: RedisServer

const ways = [
  ['sqlite', 'redis'],
  ['redis', 'sqlite'],
] as const

const kinds = [
  ['queued', { runAt: 0 }],
  ['scheduled', { runAt: Date.now() + 3_600_000 }],
] as const

if (withoutRedis !== false) test('moves that are hindered', { skip: withoutRedis }, () => undefined)
else
  describe('moving tasks, hindered', () => {
    before(async () => {
      redis = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
    })
    after(() => redis.end())

    for (const [from, to] of ways) {
      test(`from ${from}, stopped: what the other store is taking is moved, and nothing lost`, async (t) => {
        const { engines } = await stores(t, redis.url)
        await engines[from].enqueue(once20())
        const target = new SlowTarget(engines[to])
        const moving = new Move({ from: engines[from], to: target.engine, onProgress: () => undefined })
        const end = moving.run()
        const batch = await until(() => target.held, { what: 'a batch to be under way' })
        const stopping = moving.stop()
        // It waits for the answer; nothing else would have happened to these for longer than that takes.
        const isParked = async () => (await engines[from].counts()).parked > 0
        await assert.rejects(until(isParked, { what: 'none to be parked', timeoutMs: 500 }))
        target.answer()
        await stopping
        assert.equal((await end).moved, batch.length)
        const { parked } = await engines[from].counts()
        assert.deepEqual([parked, await left(engines[from])], [0, 20 - batch.length])
        assert.equal(await left(engines[to]), batch.length)
      })

      test(`from ${from}, stopped: what it holds and has not given away stays to be run`, async (t) => {
        const { engines } = await stores(t, redis.url)
        await engines[from].enqueue(once20())
        const source = withLateLeases(engines[from])
        const moving = new Move({ from: source, to: engines[to], onProgress: () => undefined })
        const end = moving.run()
        await until(async () => (await engines[from].counts()).running === 20, { what: 'all to be taken' })
        await moving.stop()
        const { queued, parked } = await engines[from].counts()
        assert.deepEqual([queued, parked, await left(engines[to])], [20, 0, 0])
        assert.equal((await end).moved, 0)
      })

      test(`from ${from}, killed: what must not start twice is moved where the other store has it, and told of where not`, async (t) => {
        const place = await stores(t, redis.url)
        const { folder, engines, urls } = place
        await engines[from].enqueue(once20())
        const taken = await takeAndDie(t, place, from)
        const stored = taken.slice(0, 12)
        await engines[to].enqueue(stored)
        const args = ['tasks', 'move', '--from', urls[from], '--to', urls[to], '--service', folder]
        const second = await cli(args)
        assert.equal(second.code, 0, second.stderr)
        assert.match(second.stdout, /^12 moved\n8 parked there/)
        assert.match(second.stdout, /8 of them are lost.*must not start twice.*macaron tasks retry/s)
        assert.deepEqual(await idsOf(engines[from]), ids(taken.slice(12)))
        assert.deepEqual(await idsOf(engines[to]), ids(stored))
        const third = await cli([...args, '--json'])
        assert.deepEqual(JSON.parse(third.stdout), { moved: 0, left: 0, parked: 8, lost: 8 })
      })
    }

    for (const [from, to] of ways)
      for (const [what, over] of kinds)
        test(`from ${from} while Redis dies again and again, what is ${what} waits, says why, and goes on: nothing is lost or doubled`, async (t) => {
          const random = seeded((line) => t.diagnostic(line))
          const { folder, engines, urls } = await stores(t, redis.url)
          const size = 6_000
          for (let at = 0; at < size; at += 1_000) await engines[from].enqueue(messages(1_000, over))
          const moving = startMove(t, [urls[from], urls[to], folder])
          const heard = () => moving.told().match(/STORE_UNREACHABLE/g)?.length ?? 0
          // It may be faster than this test on a busy machine, but not from the beginning.
          for (let deaths = 1; deaths <= 3 && !moving.isOver(); deaths++) {
            // More than a page, but for the first: then it has heard in between that Redis is back. At the very beginning, while one of its own lies there, a move ends.
            const goal =
              deaths === 1 ? random.whole(2, 500) : (await left(engines[to])) + random.whole(501, 1_500)
            await until(async () => moving.isOver() || (await left(engines[to])) >= goal, {
              what: 'some to be moved',
              everyMs: 1,
            })
            await redis.kill()
            await until(() => moving.isOver() || heard() >= deaths, { what: 'the reason to be told' })
            await redis.start()
            await until(async () => (await engines.redis.health()).storing, { what: 'Redis to be there' })
          }
          t.diagnostic(`${heard()} deaths were heard of`)
          assert.ok(heard() > 0)
          assert.equal(await moving.end, 0, moving.told())
          assert.deepEqual([await left(engines[from]), await left(engines[to])], [0, size])
          assert.deepEqual(JSON.parse(moving.said()), { moved: size, left: 0, parked: 0, lost: 0 })
          assert.match(moving.told(), /works again/)
        })

    test('stopped while the store that is emptied is away, it ends, and says how many were moved and why no more is known', async (t) => {
      const { folder, engines, urls } = await stores(t, redis.url)
      await engines.redis.enqueue(messages(3_000, { runAt: Date.now() + 3_600_000 }))
      const moving = startMove(t, [urls.redis, urls.sqlite, folder])
      await until(async () => (await left(engines.sqlite)) > 500, { what: 'some to be moved', everyMs: 1 })
      await redis.kill()
      try {
        await until(() => /\[STORE_UNREACHABLE\]/.test(moving.told()), { what: 'the reason to be told' })
        moving.stop()
        assert.equal(await moving.end, 1)
        const { moved, error } = JSON.parse(moving.said())
        assert.equal(error, 'STORE_UNREACHABLE')
        assert.ok(moved >= 500 && moved < 3_000, `${moved} moved`)
      } finally {
        await redis.start()
      }
    })

    for (const [what, over] of kinds)
      test(`to a store that gets full on the way, what is ${what} waits, says why, and goes on`, async (t) => {
        const { folder, engines, urls } = await stores(t, redis.url)
        const size = 6_000
        for (let at = 0; at < size; at += 1_000) await engines.sqlite.enqueue(messages(1_000, over))
        const moving = startMove(t, [urls.sqlite, urls.redis, folder])
        await until(async () => (await left(engines.redis)) > 0, { what: 'some to be moved', everyMs: 1 })
        await redis.command('CONFIG', 'SET', 'maxmemory', '1')
        try {
          await until(() => /\[STORE_FULL\]/.test(moving.told()), { what: 'the reason to be told' })
          const moved = await left(engines.redis)
          assert.ok(moved < size)
        } finally {
          await redis.command('CONFIG', 'SET', 'maxmemory', '0')
        }
        assert.equal(await moving.end, 0)
        assert.deepEqual([await left(engines.sqlite), await left(engines.redis)], [0, size])
        assert.equal(moving.told().match(/STORE_FULL/g)?.length, 1)
        assert.match(moving.told(), /works again/)
      })

    test('from a queue that was paused it says so, and goes on when it is resumed', async (t) => {
      const { folder, service, engines, urls } = await stores(t, redis.url)
      await engines.redis.enqueue(messages(10, { runAt: 0 }))
      const meta = `${prefixOf(service)}:tasks:meta`
      await redis.command('HSET', meta, 'paused', '1')
      const moving = startMove(t, [urls.redis, urls.sqlite, folder])
      await until(() => /queue was paused/.test(moving.told()), { what: 'the reason to be told' })
      assert.equal(await left(engines.redis), 10)
      await redis.command('HDEL', meta, 'paused')
      assert.equal(await moving.end, 0)
      assert.equal(await left(engines.sqlite), 10)
      assert.equal(moving.told().match(/paused/g)?.length, 1)
    })
  })

/** Tasks that must not start twice. */
function once20(): readonly TaskMessage[] {
  return messages(20, { atMostOnce: true, runAt: 0, priority: 0 })
}

/** A store that has stored a batch, and answers when it is told to. */
class SlowTarget {
  readonly engine: Engine
  held: readonly TaskMessage[] | undefined
  readonly #told = Promise.withResolvers<void>()

  constructor(engine: Engine) {
    this.engine = changed(engine, {
      enqueue: async (batch) => {
        const answers = await engine.enqueue(batch)
        // Not what a move begins with.
        if (batch.every(({ atMostOnce }) => !atMostOnce)) return answers
        this.held = batch
        await this.#told.promise
        return answers
      },
    })
  }

  answer(): void {
    this.#told.resolve()
  }
}

/** The same engine, but what it hands out comes when it is told to stop doing so. */
function withLateLeases(engine: Engine): Engine {
  return changed(engine, {
    consume: async (consumer: Consumer) => {
      const late: Lease[] = []
      const consumption = await engine.consume({
        names: () => [],
        keys: () => [],
        sweep: async () => true,
        slots: () => consumer.slots(),
        run: (leases) => late.push(...leases),
      })
      const pause = async () => {
        await consumption.pause()
        if (late.length > 0) consumer.run(late.splice(0))
      }
      return changed(consumption, { pause })
    },
  })
}

function changed<T extends object>(one: T, own: Partial<T>): T {
  return new Proxy(one, {
    get(target, key) {
      const value = Reflect.get(key in own ? own : target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** A process takes all there is from a store and is killed; what it had taken. */
async function takeAndDie(
  t: TestContext,
  { folder, service, engines, urls }: Stores,
  from: keyof Stores['engines'],
): Promise<readonly TaskMessage[]> {
  const state = join(folder, '.macaron')
  const child =
    from === 'sqlite'
      ? startProgram(t, new URL('./fixtures/consume.ts', import.meta.url), { args: [state, 'hold'] })
      : startProgram(t, new URL('./fixtures/consume-redis.ts', import.meta.url), {
          args: [urls.redis, service, state, '20'],
        })
  await until(async () => (await engines[from].counts()).running === 20, { what: 'all to be taken' })
  await kill(child)
  return (await engines[from].list({})).map(({ message }) => message).toReversed()
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

async function idsOf(engine: Engine): Promise<readonly string[]> {
  return ids((await engine.list({})).map(({ message }) => message).toReversed())
}

function ids(tasks: readonly TaskMessage[]): readonly string[] {
  return tasks.map(({ id }) => id)
}

/** The command under way: what it has told so far, what it says, and its end. */
function startMove(t: TestContext, [from, to, folder]: readonly [string, string, string]) {
  const args = [bin, 'tasks', 'move', '--json', '--from', from, '--to', to, '--service', folder]
  const child = spawn(process.execPath, args, {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const [said, told] = [textOf(child.stdout), textOf(child.stderr)]
  const end: Promise<number | null> = once(child, 'close').then(([code]) => code)
  const isOver = () => child.exitCode !== null
  return { told, said, end, isOver, stop: () => child.kill('SIGTERM') }
}

function textOf(stream: Readable): () => string {
  let text = ''
  stream.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  return () => text
}
