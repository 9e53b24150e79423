import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import type { Random } from '../e2e/support/random.ts'
import { type RunningService, startService } from '../e2e/support/service.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { killRounds } from './kill-rounds.ts'

const wanted = Number(process.env.MACARON_KILLS ?? 1000)

let redis: RedisServer
let count = 0

const onRedis = (url = redis.url) => ({
  'macaron.yaml': `name: bench ${++count}\nwith_async: true\nlog_format: json\nspool: off\nbroker_url: ${url}\n`,
})

/** Kills Redis once or twice while requests come in. */
async function killRedis(random: Random, service: RunningService): Promise<number> {
  const times = random.whole(1, 2)
  for (let time = 1; time <= times; time++) {
    const seen = service.runs().length
    await until(() => service.runs().length > seen + random.whole(5, 50), {
      what: 'tasks to run',
      timeoutMs: 60_000,
    })
    await redis.kill()
    await redis.start()
  }
  return times
}

/** Tasks of a second, while nothing goes to Redis or comes from it for so long; answers how often each has run. */
async function cutFor(t: TestContext, seconds: number): Promise<readonly number[]> {
  const proxy = await TcpProxy.start(redis.port)
  t.after(() => proxy.end())
  const service = await startService(t, { files: onRedis(`redis://127.0.0.1:${proxy.port}`) })
  const keys = Array.from({ length: 100 }, (_, index) => `k${index}`)
  for (const key of keys) assert.equal((await service.fire('work', [key, 1000])).status, 200)
  await until(() => service.runs().length >= 10, { what: 'some to run' })
  proxy.cut()
  const end = performance.now() + seconds * 1000
  await until(() => performance.now() > end, {
    what: 'the end of the cut',
    timeoutMs: seconds * 1000 + 5_000,
  })
  proxy.mend()
  await until(async () => (await service.tasks('--state', 'done')).length === keys.length, {
    what: 'all to be done',
    timeoutMs: 120_000,
    everyMs: 500,
  })
  const runs = Map.groupBy(service.runs(), (run) => run.key)
  return keys.map((key) => runs.get(key)?.length ?? 0)
}

if (withoutRedis !== false) test('long runs on Redis', { skip: withoutRedis }, () => undefined)
else
  describe('on a Redis that writes everything down at once', () => {
    before(async () => {
      redis = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
    })
    after(() => redis.end())

    test(`${wanted} kills of servers, workers, executors, Redis and all of it lose nothing`, (t) =>
      killRounds(t, { wanted, files: onRedis, meddle: killRedis }))

    for (const seconds of [1, 15, 60])
      test(`a network that is cut for ${seconds} s loses nothing and runs nothing twice, where no other machine takes over`, async (t) => {
        assert.deepEqual(new Set(await cutFor(t, seconds)), new Set([1]))
      })

    test('a task that blocks its loop for two minutes keeps its lease and runs once, with another machine waiting', async (t) => {
      const files = { ...onRedis(), '.macaron/seal.key': 'a-key-that-both-machines-have-been-given' }
      const services = [await startService(t, { files }), await startService(t, { files, command: 'work' })]
      assert.equal((await services[0]?.fire('block', ['busy', 120_000]))?.status, 200)
      const runs = () => services.flatMap((service) => service.runs())
      await until(() => runs().some((run) => run.ended), {
        what: 'its end',
        timeoutMs: 180_000,
        everyMs: 500,
      })
      await until(async () => (await services[0]?.tasks('--state', 'done'))?.length === 1, {
        what: 'its outcome',
      })
      assert.equal(runs().length, 1)
    })
  })
