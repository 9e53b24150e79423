import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { codeOf } from '../../src/core/errors.ts'
import { on } from '../../src/core/events.ts'
import { openBullmq } from '../../src/engines/bullmq/engine.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { makeMessage, store } from '../../src/testing/engine-suite/setup.ts'
import { ownFolder } from '../support/folder.ts'
import { freePort } from '../support/free-port.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

let redis: RedisServer

async function opened(test: TestContext, url: string): Promise<Engine> {
  const engine = await openBullmq({ url, service: test.name, folder: join(ownFolder(test), '.macaron') })
  test.after(() => engine.close())
  return engine
}

async function keeps(test: TestContext, url: string): Promise<void> {
  const engine = await opened(test, url)
  const message = makeMessage()
  await store(engine, message)
  assert.equal((await engine.find(message.id))?.state, 'queued')
}

/** Refused with this code, in the time a caller can wait, and without the password. */
async function refused(test: TestContext, url: string, code: string): Promise<string> {
  const started = performance.now()
  const error = await opened(test, url).then(
    () => assert.fail('It was opened'),
    (thrown: Error & { code?: string }) => thrown,
  )
  assert.equal(error.code, code, error.message)
  // As it is logged: with its cause, and whatever is attached to that.
  assert.doesNotMatch(inspect(error, { depth: 10, showHidden: true }), /secret/)
  assert.ok(performance.now() - started < 7_000, 'it took too long')
  return error.message
}

async function ownRedis(test: TestContext, ...settings: readonly string[]): Promise<RedisServer> {
  const server = await RedisServer.start(...settings)
  test.after(() => server.end())
  return server
}

/** What is said of the Redis at start. */
async function saidOf(test: TestContext, server: RedisServer) {
  const said: { stored: string; durable: boolean }[] = []
  test.after(on('store.opened', (detail) => said.push(detail)))
  const engine = await opened(test, server.url)
  const [first] = said
  return { ...first, warnings: (await engine.health()).warnings }
}

if (withoutRedis !== false) test('opening Redis', { skip: withoutRedis }, () => undefined)
else
  describe('opening Redis', () => {
    before(async () => {
      redis = await RedisServer.start('--appendonly', 'yes')
    })
    after(() => redis.end())

    test('by host and port, with a database', (t) => keeps(t, `${redis.url}/3`))

    test('by a socket', (t) => keeps(t, `redis+unix://${redis.socket}?db=1`))

    test('with a password, or a user and a password', async (t) => {
      const server = await ownRedis(
        t,
        '--requirepass',
        'secret @:/',
        '--user',
        'ada',
        'on',
        '>secret',
        '~{macaron:*',
        '+@all',
      )
      await keeps(t, `redis://:secret%20%40%3A%2F@127.0.0.1:${server.port}`)
      await keeps(t, `redis://ada:secret@127.0.0.1:${server.port}`)
    })

    test('a wrong password, none, or one that may do too little is refused', async (t) => {
      const server = await ownRedis(
        t,
        '--requirepass',
        'right',
        '--user',
        'ada',
        'on',
        '>secret',
        '~*',
        '+@all',
        '-info',
      )
      for (const login of [':secret@', 'nobody:secret@', '', 'ada:secret@'])
        assert.match(
          await refused(t, `redis://${login}127.0.0.1:${server.port}`, 'STORE_LOGIN'),
          login.startsWith('ada') ? /'info' command.*ACL SETUSER/ : /See to those in broker_url/,
        )
    })

    test('a database that Redis does not have, or that this user may not choose, is refused, and never another one used', async (t) => {
      const server = await ownRedis(t, '--databases', '4')
      await server.command('ACL', 'SETUSER', 'ada', 'on', '>secret', '~*', '&*', '+@all', '-select')
      const none = await refused(t, `${server.url}/4`, 'STORE_NO_DATABASE')
      assert.match(none, /, database 4 does not exist: this Redis has fewer databases/)
      const login = server.url.replace('redis://', 'redis://ada:secret@')
      assert.match(await refused(t, `${login}/3`, 'STORE_LOGIN'), /'select' command/)
      assert.doesNotMatch(await server.command('INFO', 'keyspace'), /db0/)
      // Nor later.
      await server.command('ACL', 'SETUSER', 'ada', '+select')
      const engine = await opened(t, `${login}/3`)
      await store(engine, makeMessage())
      await server.command('ACL', 'SETUSER', 'ada', '-select')
      await server.command('CLIENT', 'KILL', 'USER', 'ada')
      const isRefused = () =>
        engine.enqueue([makeMessage()]).then(
          () => false,
          (error: unknown) => codeOf(error) === 'STORE_LOGIN',
        )
      await until(isRefused, { what: 'tasks to be refused' })
      assert.doesNotMatch(await server.command('INFO', 'keyspace'), /db0/)
    })

    test('nothing at the address, or something that never answers', async (t) => {
      assert.match(
        await refused(t, `redis://127.0.0.1:${await freePort()}`, 'STORE_UNREACHABLE'),
        /ECONNREFUSED/,
      )
      await refused(t, 'redis+unix:///nowhere/redis.sock', 'STORE_UNREACHABLE')
      const mute = await TcpProxy.start(redis.port)
      t.after(() => mute.end())
      mute.cut()
      await refused(t, `redis://127.0.0.1:${mute.port}`, 'STORE_UNREACHABLE')
    })

    test('a version that is too old is refused', async (t) => {
      // The same Redis, which says through the proxy that it is older.
      const older = await TcpProxy.start(redis.port, (piece) =>
        Buffer.from(piece.toString('latin1').replace(/redis_version:\d+\.\d/, 'redis_version:6.0'), 'latin1'),
      )
      t.after(() => older.end())
      assert.match(
        await refused(t, `redis://127.0.0.1:${older.port}`, 'STORE_TOO_OLD'),
        /6\.0.*6\.2 or newer/,
      )
    })

    test('one that throws keys away when its memory is full is refused, until it is told not to', async (t) => {
      const server = await ownRedis(t, '--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru')
      assert.match(await refused(t, server.url, 'STORE_EVICTS'), /noeviction/)
      await server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
      await keeps(t, server.url)
    })

    test('what stored means there is told, and is a warning where it is little', async (t) => {
      const always = await saidOf(t, await ownRedis(t, '--appendonly', 'yes', '--appendfsync', 'always'))
      assert.match(always.stored ?? '', /survives a power cut/)
      assert.deepEqual([always.durable, always.warnings], [true, []])
      const second = await saidOf(t, redis)
      assert.match(second.stored ?? '', /can lose the last second/)
      const snapshots = await saidOf(t, await ownRedis(t, '--save', '3600 1'))
      assert.match(snapshots.stored ?? '', /only snapshots are made \(save 3600 1\)/)
      const nothing = await saidOf(t, await ownRedis(t, '--maxmemory-policy', 'volatile-lru'))
      assert.match(nothing.stored ?? '', /loses every task/)
      assert.equal(nothing.durable, false)
      assert.equal(nothing.warnings.length, 2)
    })

    test('a clock that differs from that of Redis is a warning', async (t) => {
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 600_000 })
      const ahead = await opened(t, redis.url)
      t.mock.timers.setTime(Date.now() - 1_200_000)
      const behind = await opened(t, redis.url)
      t.mock.timers.reset()
      const warnings = async (engine: Engine) => (await engine.health()).warnings.join()
      assert.match(await warnings(ahead), /is 600 s ahead of that of Redis at .*too early/)
      assert.match(await warnings(behind), /is 600 s behind that of Redis at .*too late/)
    })

    test('by sentinels, and on to the new master after a failover', async (t) => {
      const master = await ownRedis(t)
      const replica = await ownRedis(t, '--replicaof', `127.0.0.1 ${master.port}`)
      const sentinel = await ownRedis(t, '--sentinel')
      const monitor = ['SENTINEL', 'MONITOR', 'main', '127.0.0.1', String(master.port), '1']
      await sentinel.command(...monitor)
      for (const [name, value] of [
        ['down-after-milliseconds', '1000'],
        ['failover-timeout', '3000'],
      ] as const)
        await sentinel.command('SENTINEL', 'SET', 'main', name, value)
      await until(
        async () => (await replica.command('INFO', 'replication')).includes('master_link_status:up'),
        {
          what: 'the replica to follow',
        },
      )
      await until(
        async () => (await sentinel.command('SENTINEL', 'REPLICAS', 'main')).includes(String(replica.port)),
        {
          what: 'the sentinel to know the replica',
        },
      )
      const engine = await opened(t, `redis+sentinel://127.0.0.1:${sentinel.port}/main`)
      const message = makeMessage()
      await store(engine, message)
      await until(async () => (await replica.command('KEYS', `*${message.id}`)).includes(message.id), {
        what: 'the replica to have it',
      })
      await master.kill()
      const next = makeMessage()
      await until(
        () =>
          store(engine, next).then(
            () => true,
            () => false,
          ),
        { what: 'the new master', everyMs: 100 },
      )
      assert.equal((await engine.find(message.id))?.state, 'queued')
      assert.match(await replica.command('ROLE'), /master/)
    })

    test('in a cluster', async (t) => {
      const node = await RedisServer.startCluster()
      t.after(() => node.end())
      await keeps(t, `redis+cluster://127.0.0.1:${node.port}`)
    })

    test('seventy thousand delayed tasks are stored at once, and all are found', async (t) => {
      const server = await ownRedis(t)
      const engine = await opened(t, server.url)
      const messages = Array.from({ length: 70_000 }, () => makeMessage({ runAt: Date.now() + 3_600_000 }))
      const answers = await engine.enqueue(messages)
      assert.ok(answers.every(({ stored }) => stored))
      const { scheduled } = await engine.counts()
      assert.equal(scheduled, messages.length)
      assert.equal((await engine.list({ state: 'scheduled', limit: 5 })).length, 5)
    })
  })
