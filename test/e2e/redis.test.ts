import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { behindPoison } from './support/behind-poison.ts'
import { monotonicMs } from './support/clock.ts'
import { signal } from './support/processes.ts'
import { childrenOnce, neverTwice } from './support/promises.ts'
import { seeded } from './support/random.ts'
import { startService } from './support/service.ts'
import { end, type StormOptions, storm } from './support/storm.ts'

/** The same service on Redis, with one line more: what the SQLite tests promise of kills holds here too. */

let redis: RedisServer
let count = 0

/** A service of its own on the one Redis: another name, other keys. */
const onRedis = (url = redis.url) => ({
  'macaron.yaml': `name: bench ${++count}\nwith_async: true\nlog_format: json\nbroker_url: ${url}\n`,
})

if (withoutRedis !== false) test('services on Redis', { skip: withoutRedis }, () => undefined)
else
  describe('a service on Redis', () => {
    before(async () => {
      redis = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
    })
    after(() => redis.end())

    test('starts with one line more, says what stored means there, and runs its tasks', async (t) => {
      const service = await startService(t, { files: onRedis() })
      const { body } = await service.post('/fire', {
        task: 'returns',
        args: ['k', 42],
        now: true,
        end: 'result',
      })
      assert.equal(body.result, 42)
      await service.says(
        /Tasks are stored on Redis at 127\.0\.0\.1:\d+ \((Redis|Valkey) [\d.]+\): it survives a power cut/,
      )
      const [listed] = await service.tasks('--state', 'done')
      assert.deepEqual([listed?.name, listed?.attempts, listed?.result], ['returns', 1, 42])
      assert.equal((await service.get('/health/ready')).status, 200)
      await end(service)
    })

    test('what is in line behind sixty poisonous tasks runs soon all the same', async (t) => {
      await behindPoison(t, await startService(t, { files: onRedis() }))
    })

    test('what a worker without the key takes goes on by itself where another has it', async (t) => {
      const files = { ...onRedis(), '.macaron/seal.key': 'a-key-that-two-of-the-three-have-been-given' }
      const wrong = await startService(t, {
        files: { ...files, '.macaron/seal.key': 'another-key-that-only-the-third-one-has-got' },
        command: 'work',
      })
      const server = await startService(t, { files, command: 'serve' })
      await server.says(/Tasks are sealed with the key in .*seal\.key: .* set seal_keys/)
      const keys = Array.from({ length: 60 }, (_, index) => `k${index}`)
      for (const key of keys) await server.fire('note', [key])
      await wrong.says(/Task note is parked \(unknown_key\)/)
      const right = await startService(t, { files, command: 'work' })
      await until(
        () =>
          new Set(
            right
              .runs()
              .filter((run) => run.ended)
              .map((run) => run.key),
          ).size === 60,
        {
          what: 'all to run',
        },
      )
      assert.equal(wrong.runs().length, 0)
      await until(async () => (await server.tasks('--state', 'parked')).length === 0, {
        what: 'none to be parked',
      })
    })

    test('serve and work run apart, from two folders as on two machines', async (t) => {
      const files = { ...onRedis(), '.macaron/seal.key': 'a-key-that-both-machines-have-been-given' }
      const server = await startService(t, { files, command: 'serve' })
      const workers = [
        await startService(t, { files, command: 'work' }),
        await startService(t, { files, command: 'work' }),
      ]
      const runs = () => workers.flatMap((worker) => worker.runs())
      const shares = () => workers.map((worker) => worker.runs().length)
      const keys: string[] = []
      // On a busy machine one worker may be too late for the first ones.
      while (keys.length < 200 || (keys.length < 4_000 && shares().some((share) => share <= 20))) {
        const more = Array.from({ length: 200 }, (_, index) => `k${keys.length + index}`)
        await Promise.all(more.map((key) => server.fire('work', [key, 20])))
        keys.push(...more)
        await until(() => runs().filter((run) => run.ended).length === keys.length, { what: 'all to run' })
      }
      t.diagnostic(`shared ${shares().join(' : ')}`)
      assert.ok(shares().every((share) => share > 20))
      assert.deepEqual(
        runs()
          .map((run) => run.key)
          .toSorted(),
        keys.toSorted(),
      )
    })

    test('a server killed between store and reply loses nothing that it has answered', (t) =>
      storms(t, { kill: [{ role: 'server', event: 'task.stored', nth: [1, 30], times: 4 }] }))

    test('a worker killed at claim, hand-over, outcome and settlement loses nothing', (t) => {
      const events = ['task.claimed', 'task.handed', 'task.outcome', 'task.settled'] as const
      return storms(t, {
        kill: events.map((event) => ({ role: 'worker', event, nth: [1, 20], times: 1 }) as const),
      })
    })

    test('executors killed in mid-task lose nothing', (t) =>
      storms(t, {
        kill: [{ role: 'executor', event: 'attempt.start', nth: [5, 30], times: 4 }],
        task: 'work',
        args: [20],
      }))

    test('everything killed at once, supervisor included, loses nothing once it is started again', (t) =>
      storms(t, {
        kill: [],
        task: 'work',
        args: [50],
        andThen: async (service) => {
          await until(() => service.runs().length >= 40, { what: 'tasks to run' })
          service.killAll()
          await until(() => service.isGone(), { what: 'every process to be gone' })
          return await startService(t, { folder: service.folder, port: service.port })
        },
      }))

    test('tasks that must not be repeated never start twice, whatever is killed', (t) =>
      storms(t, {
        kill: [
          { role: 'worker', event: 'task.settled', nth: [5, 20], times: 1 },
          { role: 'worker', event: 'task.handed', nth: [5, 20], times: 1 },
          { role: 'executor', event: 'attempt.start', nth: [5, 20], times: 2 },
        ],
        ...neverTwice,
      }))

    test('the tasks that a task fires are stored once, however often it is run again', (t) =>
      storms(t, {
        kill: [
          { role: 'worker', event: 'task.settled', nth: [5, 20], times: 1 },
          { role: 'worker', event: 'task.outcome', nth: [5, 20], times: 1 },
          { role: 'executor', event: 'attempt.end', nth: [5, 20], times: 2 },
        ],
        ...childrenOnce,
      }))

    test('a Redis that is killed and started again, three times, loses nothing that was answered', (t) =>
      storms(t, {
        kill: [],
        task: 'work',
        args: [20],
        andThen: async (service) => {
          for (let times = 1; times <= 3; times++) {
            const before = service.runs().length
            await until(() => service.runs().length >= before + 30, { what: 'tasks to run' })
            await redis.kill()
            await redis.start()
          }
          return service
        },
      }))

    test('the tasks of a killed worker run again within a second of its restart', async (t) => {
      const service = await startService(t, { files: onRedis() })
      await service.fire('work', ['long', 5000])
      const first = await until(() => service.runs()[0], { what: 'the task to start' })
      const pid = await service.pidOf('worker')
      signal(pid, 'SIGKILL')
      await until(() => service.pids('worker').some((other) => other !== pid), { what: 'the next worker' })
      const started = monotonicMs()
      const again = await until(() => service.runs()[1], { what: 'the task to run again' })
      t.diagnostic(`runs again ${(again.start - started).toFixed(0)} ms after the next worker's start`)
      assert.equal(again.id, first.id)
      // A bound for a loaded machine; the lease would have lasted for half a minute.
      assert.ok(again.start - started < 5000)
    })
  })

async function storms(test: TestContext, options: Omit<StormOptions, 'seed' | 'files'>): Promise<void> {
  const { seed } = seeded((line) => test.diagnostic(line))
  await storm(test, { ...options, seed, files: onRedis() })
}
