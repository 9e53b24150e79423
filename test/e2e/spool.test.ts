import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { startService } from './support/service.ts'
import { end } from './support/storm.ts'

/** A service whose Redis is away goes on answering 2xx, and nothing of what it has taken is lost. */

let redis: RedisServer
let count = 0

const files = (spool: 'on' | 'off' = 'on') => ({
  'macaron.yaml': `name: spooled ${++count}\nwith_async: true\nlog_format: json\nspool: ${spool}\nbroker_url: ${redis.url}\n`,
})

/** What a server that has ended has left there: five tasks that a dead Redis could not take. */
async function leftInSpool(t: TestContext): Promise<{ folder: string; keys: readonly string[] }> {
  const service = await startService(t, { files: files(), command: 'serve' })
  await redis.kill()
  const keys = Array.from({ length: 5 }, (_, index) => `k${index}`)
  for (const key of keys) assert.equal((await service.fire('note', [key])).status, 200)
  await end(service)
  return { folder: service.folder, keys }
}

if (withoutRedis !== false) test('services with a spool', { skip: withoutRedis }, () => undefined)
else
  describe('a service with a spool', () => {
    before(async () => {
      redis = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
    })
    after(() => redis.end())

    test('answers while Redis is dead, says so, and runs everything once Redis is back', async (t) => {
      const service = await startService(t, { files: files() })
      await redis.kill()
      const keys = Array.from({ length: 60 }, (_, index) => `k${index}`)
      const answers = await Promise.all(keys.map((key) => service.fire('note', [key])))
      assert.ok(answers.every(({ status }) => status === 200))
      assert.equal((await service.get('/health/ready')).status, 200)
      await service.says(
        /can't be reached.*kept in the spool.*"code":"STORE_UNREACHABLE"|"code":"STORE_UNREACHABLE".*kept in the spool/,
      )
      const health = await service.cli('health')
      assert.equal(health.code, 1)
      assert.match(health.stdout, /60 tasks wait in the spool/)
      const listed = await service.cli('tasks', 'ls', '--spool', '--json', '--limit', '100')
      assert.equal(listed.stdout.trim().split('\n').length, 60)
      await redis.start()
      await until(() => service.runs().filter((run) => run.ended).length === 60, { what: 'all to run' })
      assert.deepEqual(
        service
          .runs()
          .map(({ key }) => key)
          .toSorted(),
        keys.toSorted(),
      )
      await service.says(/Forwarded from the spool: 60 tasks/)
      await end(service)
    })

    test('starts while Redis is dead; what a server that was killed has left in its spool is forwarded by the next one', async (t) => {
      const own = files()
      await redis.kill()
      const first = await startService(t, { files: own, command: 'serve' })
      for (let index = 0; index < 30; index++)
        assert.equal((await first.fire('note', [`k${index}`])).status, 200)
      first.killAll()
      await until(() => first.isGone(), { what: 'it to be gone' })
      await redis.start()
      const second = await startService(t, { folder: first.folder })
      await until(() => second.runs().filter((run) => run.ended).length >= 30, { what: 'all to run' })
      const runs = second.runs().map(({ key }) => key)
      assert.equal(new Set(runs).size, 30)
      assert.equal(runs.length, 30)
      await end(second)
    })

    test('why Redis is away is told once, by what is left in the spool too, and in words of our own', async (t) => {
      const { folder } = await leftInSpool(t)
      const service = await startService(t, { folder, command: 'serve' })
      const count = (words: RegExp) => service.output.match(words)?.length ?? 0
      assert.equal((await service.fire('note', ['k'])).status, 200)
      await service.says(/kept in the spool/)
      await redis.start()
      await service.says(/Forwarded from the spool: 6 tasks/)
      assert.deepEqual([count(/STORE_UNREACHABLE/g), count(/kept in/g), count(/works again/g)], [2, 1, 1])
      await redis.kill()
      assert.equal((await service.fire('note', ['k'])).status, 200)
      await until(() => count(/kept in the spool/g) === 2, { what: 'the second time to be told' })
      await redis.start()
      await until(() => count(/Forwarded from the spool/g) === 2, { what: 'that one to be forwarded' })
      assert.equal(count(/STORE_UNREACHABLE/g), 3)
      assert.equal(count(/TLS|enableOfflineQueue|maxRetries/g), 0)
      await end(service)
    })

    test('what a server has left in its spool is forwarded by a worker too', async (t) => {
      const { folder, keys } = await leftInSpool(t)
      await redis.start()
      const second = await startService(t, { folder, command: 'work' })
      await until(() => second.runs().filter((run) => run.ended).length === 5, { what: 'all to run' })
      const runs = second.runs().map(({ key }) => key)
      assert.deepEqual(runs.toSorted(), keys)
      await end(second)
    })

    test('what lies in the spool when the service leaves Redis is told of, and moved by command', async (t) => {
      const { folder, keys } = await leftInSpool(t)
      writeFileSync(join(folder, 'macaron.yaml'), 'name: embedded\nwith_async: true\nlog_format: json\n')
      const second = await startService(t, { folder })
      await second.says(/5 tasks lie in a spool that is not used any more.*tasks move --from sqlite:/)
      const mistyped = await second.cli('tasks', 'move', '--from', 'sqlite:.macaron/spol')
      assert.equal(mistyped.code, 1)
      assert.match(mistyped.stderr, /There is no store in .*spol.*NO_STORE/s)
      const moved = await second.cli('tasks', 'move', '--from', 'sqlite:.macaron/spool')
      assert.equal(moved.code, 0, moved.stderr)
      await until(() => second.runs().filter((run) => run.ended).length === 5, { what: 'all to run' })
      const runs = second.runs().map(({ key }) => key)
      assert.deepEqual(runs.toSorted(), keys)
      await end(second)
      await redis.start()
    })

    test('what lies in the spool of a service that was renamed waits, the log says so, and is moved by command', async (t) => {
      const { folder, keys } = await leftInSpool(t)
      await redis.start()
      writeFileSync(join(folder, 'macaron.yaml'), files()['macaron.yaml'])
      const renamed = await startService(t, { folder })
      await renamed.says(
        /holds tasks of the service.*"code":"SPOOL_OTHER_SERVICE"|"code":"SPOOL_OTHER_SERVICE".*holds tasks of the service/,
      )
      const listed = await renamed.cli('tasks', 'ls', '--spool')
      assert.match(listed.stderr, /\[SPOOL_OTHER_SERVICE\]/)
      assert.equal((await renamed.fire('note', ['meanwhile'])).status, 200)
      const moved = await renamed.cli('tasks', 'move', '--from', 'sqlite:.macaron/spool', '--json')
      assert.deepEqual(JSON.parse(moved.stdout), { moved: 5, left: 0, parked: 0, lost: 0 })
      await until(() => renamed.runs().filter((run) => run.ended).length === 6, { what: 'all to run' })
      const runs = renamed.runs().map(({ key }) => key)
      assert.deepEqual(runs.toSorted(), [...keys, 'meanwhile'])
      await redis.kill()
      assert.equal((await renamed.fire('note', ['spooled'])).status, 200)
      await redis.start()
      await until(() => renamed.runs().filter((run) => run.ended).length === 7, { what: 'the last to run' })
      await end(renamed)
    })

    test('a spool that a server forwards is not moved by command, which says what to stop; then it is', async (t) => {
      const service = await startService(t, { files: files(), command: 'serve' })
      await redis.kill()
      for (let index = 0; index < 5; index++)
        assert.equal((await service.fire('note', [`k${index}`])).status, 200)
      await service.says(/kept in the spool/)
      const args = ['tasks', 'move', '--from', 'sqlite:.macaron/spool', '--to', 'sqlite:', '--json']
      const refused = await service.cli(...args)
      assert.equal(refused.code, 1)
      assert.match(
        refused.stderr,
        /Process \d+ on .* forwards its spool.*stop it first\.\n\[WORKERS_ALIVE\]/s,
      )
      assert.deepEqual(JSON.parse(refused.stdout), { moved: 0, error: 'WORKERS_ALIVE' })
      await end(service)
      const moved = await service.cli(...args)
      assert.deepEqual(JSON.parse(moved.stdout), { moved: 5, left: 0, parked: 0, lost: 0 })
      await redis.start()
    })

    test('a spool that can’t be read is told of by log and health, and forwarded once it can be', async (t) => {
      const { folder, keys } = await leftInSpool(t)
      await redis.start()
      const spool = join(folder, '.macaron', 'spool')
      renameSync(spool, `${spool} kept`)
      mkdirSync(spool)
      writeFileSync(join(spool, 'tasks.db'), 'no database at all\n'.repeat(1000))
      const second = await startService(t, { folder })
      await second.says(
        /spool\/tasks\.db is damaged.*"code":"STORE_CORRUPT"|"code":"STORE_CORRUPT".*spool\/tasks\.db/,
      )
      const health = await second.cli('health')
      assert.equal(health.code, 1)
      assert.match(health.stdout, /What may wait in the spool of this machine can't be read: .*STORE_CORRUPT/)
      assert.equal((await second.fire('note', ['meanwhile'])).status, 200)
      rmSync(spool, { recursive: true })
      renameSync(`${spool} kept`, spool)
      await until(() => second.runs().filter((run) => run.ended).length === 6, { what: 'all to run' })
      const runs = second.runs().map(({ key }) => key)
      assert.deepEqual(runs.toSorted(), [...keys, 'meanwhile'])
      await end(second)
    })

    test('with spool: off a dead Redis means 503 for what fires, and nothing else', async (t) => {
      const service = await startService(t, { files: files('off') })
      await redis.kill()
      const refused = await service.fire('note', ['k'])
      assert.deepEqual([refused.status, refused.body.error], [503, 'TASKS_UNAVAILABLE'])
      assert.equal((await service.get('/wait/1')).status, 200)
      const none = await service.cli('tasks', 'ls', '--spool')
      assert.match(none.stderr, /\[NO_SPOOL\]/)
      await redis.start()
      await until(async () => (await service.fire('note', ['after'])).status === 200, { what: 'a 2xx' })
      await end(service)
    })
  })
