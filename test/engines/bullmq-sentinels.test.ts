import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { makeMessage, store } from '../../src/testing/engine-suite/setup.ts'
import { freePort } from '../support/free-port.ts'
import { RedisGroup, roleOf } from '../support/redis-group.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { jobKey, openAt, placeOf } from './bullmq-place.ts'

let group: RedisGroup

/** Why it can't be opened. */
async function refusal(t: TestContext, url: string, code = 'STORE_UNREACHABLE'): Promise<string> {
  const error = await openAt(t, url, placeOf(t)).then(
    () => assert.fail('It was opened'),
    (thrown: Error & { code?: string }) => thrown,
  )
  assert.equal(error.code, code, error.message)
  return error.message
}

/** A sentinel that has been told of a group `main` with its master at `port`. */
async function sentinelOf(t: TestContext, port: number): Promise<string> {
  const sentinel = await RedisServer.start('--bind', '127.0.0.1', '--sentinel')
  t.after(() => sentinel.end())
  await sentinel.command('SENTINEL', 'MONITOR', 'main', '127.0.0.1', String(port), '1')
  return `redis+sentinel://127.0.0.1:${sentinel.port}/main`
}

describe('by sentinels', { skip: withoutRedis }, () => {
  before(async () => {
    group = await RedisGroup.start()
  })
  after(() => group[Symbol.asyncDispose]())

  test('a store is opened though the first sentinel stands still', async (t) => {
    const [first] = group.sentinels
    first?.signal('SIGSTOP')
    t.after(() => first?.signal('SIGCONT'))
    const engine = await openAt(t, group.url, placeOf(t))
    await store(engine, makeMessage())
    first?.signal('SIGCONT')
  })

  test('a master that is replaced while it lives is left at once, not when it is told, for what it takes meanwhile is lost', async (t) => {
    const place = placeOf(t)
    const engine = await openAt(t, group.url, place)
    const last = await until(() => group.master(), { what: 'a master' })
    await group.sentinels[1]?.command('SENTINEL', 'FAILOVER', 'main')
    const next = await group.promotedAfter(last)
    await until(
      async () => {
        const message = makeMessage()
        await store(engine, message).catch(() => undefined)
        return (await next.command('EXISTS', jobKey(place, message.id))).includes(':1')
      },
      { what: 'tasks to be stored on the new master' },
    )
    assert.equal(await roleOf(last), 'master')
  })

  test('a group that they do not know, or sentinels that are not there, are told by name', async (t) => {
    const port = await freePort()
    const [unknown, nobody] = await Promise.all([
      refusal(t, group.url.replace(/main$/, 'other')),
      refusal(t, `redis+sentinel://127.0.0.1:${port}/main`),
    ])
    assert.match(unknown, /other, by .*know no such group/)
    assert.match(nobody, new RegExp(`can't be reached: .* sentinel 127.0.0.1:${port}`))
  })

  test('a sentinel that names a server that is gone, or no master any more, is told so', async (t) => {
    const gone = await freePort()
    assert.match(await refusal(t, await sentinelOf(t, gone)), new RegExp(`ECONNREFUSED 127.0.0.1:${gone}`))
    const replica = await RedisServer.start('--replicaof', '127.0.0.1', '1')
    t.after(() => replica.end())
    assert.match(await refusal(t, await sentinelOf(t, replica.port)), /has no master/)
  })

  test('a replica that is given as broker_url is refused with the name of its master', async (t) => {
    const master = await until(() => group.master(), { what: 'a master' })
    const replica = await RedisServer.start('--replicaof', '127.0.0.1', String(master.port))
    t.after(() => replica.end())
    const writable = await RedisServer.start('--replicaof', '127.0.0.1', '1', '--replica-read-only', 'no')
    t.after(() => writable.end())
    assert.match(
      await refusal(t, replica.url, 'STORE_UNWRITABLE'),
      new RegExp(`is a replica of 127.0.0.1:${master.port}.*redis\\+sentinel`),
    )
    assert.match(await refusal(t, writable.url, 'STORE_UNWRITABLE'), /is a replica of 127.0.0.1:1/)
  })
})
