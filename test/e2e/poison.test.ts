import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import { startService } from './support/service.ts'

test('of ten tasks that share an executor with a poisonous one nine finish, and the one is parked and named', async (t) => {
  const service = await startService(t, { files: { 'macaron.yaml': oneExecutor } })
  const keys = Array.from({ length: 9 }, (_, index) => `innocent${index}`)
  await service.fire('poison', ['bad', 300])
  for (const key of keys) await service.fire('work', [key, 600])
  const parked = await until(async () => (await service.tasks('--state', 'parked'))[0], {
    what: 'the poisonous task to be parked',
    timeoutMs: 25_000,
    everyMs: 200,
  })
  await until(() => keys.every((key) => service.runs().some((run) => run.key === key && run.ended)), {
    what: 'the others to end',
    timeoutMs: 25_000,
  })
  const first = service.runs().filter((run) => run.pid === service.runs()[0]?.pid)
  const innocent = service.runs().filter((run) => run.key !== 'bad')
  t.diagnostic(
    `${first.length} shared the first executor; runs: poisonous ${service.runs().length - innocent.length}, innocent ${innocent.length}`,
  )
  assert.equal(first.length, 10)
  assert.equal(parked.name, 'poison')
  assert.equal(parked.reason, 'poison')
  assert.equal(parked.crashes, 3)
  assert.match(parked.error?.message ?? '', /SIGKILL/)
  await service.says(/Task poison is parked \(poison\)/)
  await until(async () => (await service.tasks('--state', 'done')).length === 9, {
    what: 'nine done tasks',
    everyMs: 200,
  })
  assert.ok(innocent.length <= 18, 'an innocent task is rerun once at most')
})

test('a task that leaves a rejection nobody handles is parked as poison with the words of the error', async (t) => {
  const service = await startService(t)
  await service.fire('careless', ['bad'])
  const parked = await until(async () => (await service.tasks('--state', 'parked'))[0], {
    what: 'the task to be parked',
    timeoutMs: 25_000,
    everyMs: 200,
  })
  assert.equal(parked.reason, 'poison')
  assert.match(parked.error?.message ?? '', /nobody caught this/)
  assert.equal((await service.fire('note', ['after'])).status, 200)
  await until(() => service.runs().some((run) => run.key === 'after' && run.ended), { what: 'others to run' })
})

const oneExecutor = `
name: bench
with_async: true
worker_count: 1
log_format: json
`
