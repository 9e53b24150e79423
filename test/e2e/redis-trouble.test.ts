import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { cli } from './support/cli.ts'
import { copyOf } from './support/folders.ts'
import { assertUnavailable, ran } from './support/refused.ts'
import { type RunningService, startService } from './support/service.ts'
import { end } from './support/storm.ts'

/** What callers are promised while Redis is in trouble and there is no spool, and that services go on by themselves. */

let redis: RedisServer
let count = 0

const onRedis = (url = redis.url, more = '') => ({
  'macaron.yaml': `name: bench ${++count}\nwith_async: true\nlog_format: json\nbroker_url: ${url}\nspool: off\n${more}`,
})

const jobKey = (id: string) => `{macaron:bench%20${count}}:tasks:${id}`

/** It serves what needs no store; what fires gets a 503 in time, and log, readiness and the command say why. */
async function servesWithout(service: RunningService, code: string): Promise<void> {
  await until(async () => (await service.get('/wait/1').catch(() => undefined))?.status === 200, {
    what: `an operation that needs no store to be served; it said:\n${service.output}`,
    timeoutMs: 60_000,
  })
  const started = performance.now()
  assertUnavailable(await service.fire('note', ['refused']))
  assert.ok(performance.now() - started < 7_000, 'the 503 took too long')
  assert.equal((await service.get('/wait/1')).status, 200)
  const ready = await service.get('/health/ready')
  assert.equal(ready.status, 503)
  assert.match(JSON.stringify(ready.body.reasons), new RegExp(`\\[${code}\\]`))
  const health = await service.cli('health', '--json')
  assert.equal(health.code, 1, health.stderr)
  assert.match(health.stdout, new RegExp(`"ok":false,"storing":false.*\\[${code}\\]`))
}

/** Until it stores and runs tasks again, by itself. */
async function goesOn(service: RunningService, key = 'again'): Promise<void> {
  await until(async () => (await service.fire('note', [key]).catch(() => undefined))?.status === 200, {
    what: `tasks to be stored; it said:\n${service.output}`,
    everyMs: 50,
  })
  await until(() => service.runs().some((run) => run.key === key && run.ended), { what: 'them to run' })
}

if (withoutRedis !== false)
  test('services whose Redis is in trouble', { skip: withoutRedis }, () => undefined)
else
  describe('a service whose Redis', () => {
    before(async () => {
      redis = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
    })
    after(() => redis.end())

    test('is not there yet starts, refuses what fires, and goes on by itself', async (t) => {
      const own = await RedisServer.start()
      t.after(() => own.end())
      await own.kill()
      const service = await startService(t, { files: onRedis(own.url), wait: false })
      await servesWithout(service, 'STORE_UNREACHABLE')
      await own.start()
      await goesOn(service)
      await service.says(/The task store works again/)
      await end(service)
    })

    test('refuses its password says so without it, and goes on when the user is there', async (t) => {
      const own = await RedisServer.start('--requirepass', 'other')
      t.after(() => own.end())
      const url = `redis://ada:hunter2hunter2@127.0.0.1:${own.port}`
      const service = await startService(t, { files: onRedis(url), wait: false })
      await servesWithout(service, 'STORE_LOGIN')
      await own.commands([
        ['AUTH', 'other'],
        ['ACL', 'SETUSER', 'ada', 'on', '>hunter2hunter2', '~{macaron:*', '+@all'],
      ])
      await goesOn(service)
      assert.doesNotMatch(service.output, /hunter2/)
    })

    test('stands still answers what fires with a 503 in time, serves all else, and goes on with it', async (t) => {
      const own = await RedisServer.start('--appendonly', 'yes')
      t.after(() => own.end())
      const service = await startService(t, { files: onRedis(own.url) })
      await goesOn(service, 'before')
      own.signal('SIGSTOP')
      await servesWithout(service, 'STORE_UNREACHABLE')
      own.signal('SIGCONT')
      await goesOn(service, 'after')
    })

    test('cannot be reached for 8 s loses nothing, reruns nothing, and takes what has ended meanwhile', async (t) => {
      const proxy = await TcpProxy.start(redis.port)
      t.after(() => proxy.end())
      const service = await startService(t, { files: onRedis(`redis://127.0.0.1:${proxy.port}`) })
      const keys = Array.from({ length: 60 }, (_, index) => `k${index}`)
      for (const key of keys) assert.equal((await service.fire('work', [key, 1000])).status, 200)
      await until(() => service.runs().length >= 10, { what: 'some to run' })
      proxy.cut()
      const mended = performance.now() + 8_000
      await until(() => performance.now() > mended, { what: 'eight seconds' })
      proxy.mend()
      await ran(service, keys)
      await until(async () => (await service.tasks('--state', 'done')).length === keys.length, {
        what: 'all outcomes to be recorded',
        everyMs: 200,
      })
      assert.equal(service.runs().length, keys.length, 'something has run twice')
    })

    test('holds what was altered there has it parked as refused, whichever part, and the others run', async (t) => {
      const files = onRedis()
      const server = await startService(t, { files, command: 'serve' })
      const ids: string[] = []
      for (const key of ['args', 'name', 'context', 'options', 'data', 'good'])
        ids.push(...((await server.fire('note', [key])).body.ids ?? []))
      await end(server)
      const [args = '', name = '', context = '', options = '', data = '', good = ''] = ids
      await alterData(args, (stored) => ({ ...stored, args: '["forged"]' }))
      await redis.command('HSET', jobKey(name), 'name', 'once')
      await alterData(context, (stored) => ({
        ...stored,
        context: `${String(stored.context).slice(0, -4)}AAAA`,
      }))
      await alterData(options, (stored) => ({ ...stored, options: '{"retries":9}' }))
      await redis.command('HSET', jobKey(data), 'data', 'rubbish')
      const service = await startService(t, { folder: server.folder })
      const parked = await until(
        async () => {
          const tasks = await service.tasks('--state', 'parked')
          return tasks.length === 5 ? tasks : undefined
        },
        { what: 'five parked tasks', everyMs: 100 },
      )
      assert.ok(parked.every((task) => task.reason === 'refused'))
      for (const { id } of parked)
        await service.says(new RegExp(`is parked \\(refused\\).*macaron tasks show ${id}`))
      await ran(service, ['good'])
      assert.deepEqual(
        service.runs().map((run) => run.id),
        [good],
      )
    })

    test('is shared in production without a key, or told wrongly, ends the start with what to do', async (t) => {
      const production = { MACARON_ENV: 'production' }
      const keyless = await cli(['serve', '--service', copyOf(t, 'bench', { files: onRedis() })], {
        env: production,
      })
      assert.equal(keyless.code, 78)
      assert.match(keyless.stderr, /seal_keys is missing[\s\S]*env_secrets[\s\S]*\[SEAL_KEY_MISSING\]/)
      const wrong = copyOf(t, 'bench', { files: onRedis('redis://:hunter2@host/one') })
      for (const command of ['serve', 'work', 'check']) {
        const answer = await cli([command, '--service', wrong])
        assert.ok(answer.code !== 0)
        assert.match(answer.stderr + answer.stdout, /broker_url can't be read[\s\S]*BROKER_INVALID/)
        assert.doesNotMatch(answer.stderr + answer.stdout, /hunter2/)
      }
    })
  })

async function alterData(
  id: string,
  change: (stored: Readonly<Record<string, unknown>>) => object,
): Promise<void> {
  const reply = await redis.command('HGET', jobKey(id), 'data')
  const stored = JSON.parse(reply.slice(reply.indexOf('\n') + 1, reply.lastIndexOf('\r')))
  await redis.command('HSET', jobKey(id), 'data', JSON.stringify(change(stored)))
}
