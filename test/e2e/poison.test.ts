import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import { behindPoison } from './support/behind-poison.ts'
import { type RunningService, startService, writeFileIn } from './support/service.ts'

test('of ten tasks that share an executor with a poisonous one nine finish, and the one is parked and named', async (t) => {
  const service = await startService(t, { files: { 'macaron.yaml': oneExecutor } })
  const keys = Array.from({ length: 9 }, (_, index) => `innocent${index}`)
  for (const key of keys) await service.fire('hold', [key])
  await until(() => service.runs().length === 9, { what: 'nine to run' })
  await service.fire('poison', ['bad', 0])
  const shared = service.runs()[0]?.pid ?? 0
  await until(() => !service.pids('executor').includes(shared), { what: 'their executor to die' })
  writeFileIn(service.folder, 'let-go', '')
  await service.settled()
  const [parked] = await service.tasks('--state', 'parked')
  assert.ok(keys.every((key) => service.runs().some((run) => run.key === key && run.ended)))
  const first = service.runs().filter((run) => run.pid === shared)
  const innocent = service.runs().filter((run) => run.key !== 'bad')
  t.diagnostic(
    `${first.length} shared the first executor; runs: poisonous ${service.runs().length - innocent.length}, innocent ${innocent.length}`,
  )
  assert.equal(first.length, 10)
  assert.equal(parked?.name, 'poison')
  assert.equal(parked.reason, 'poison')
  assert.equal(parked.crashes, 3)
  assert.match(parked.error?.message ?? '', /SIGKILL/)
  await service.says(/Task poison is parked \(poison\)/)
  assert.equal((await service.tasks('--state', 'done')).length, 9)
  assert.ok(innocent.length <= 18, 'an innocent task is rerun once at most')
})

test('what is in line behind sixty poisonous tasks runs soon all the same', async (t) => {
  const service = await startService(t)
  await behindPoison(t, service)
})

test('a task that leaves a rejection nobody handles is parked as poison with the words of the error', async (t) => {
  const service = await startService(t)
  await service.fire('careless', ['bad'])
  await service.settled()
  const [parked] = await service.tasks('--state', 'parked')
  assert.equal(parked?.reason, 'poison')
  assert.match(parked.error?.message ?? '', /nobody caught this/)
  assert.equal((await service.fire('note', ['after'])).status, 200)
  await until(() => service.runs().some((run) => run.key === 'after' && run.ended), { what: 'others to run' })
})

test('the reporter of the service is told once of a task that was parked because its executor or worker died, with its request', async (t) => {
  const files = { 'macaron.yaml': oneExecutor, 'service.ts': reporting }
  const service = await startService(t, { files })
  await service.fire('poison', ['bad', 0])
  const [poison] = await until(() => atLeast(1, reportsOf(service)), {
    what: 'a report',
    timeoutMs: 60_000,
    everyMs: 100,
  })
  await service.fire('once', ['gone', 60_000])
  await until(() => service.runs().some((run) => run.key === 'gone'), { what: 'the other to begin' })
  process.kill(await service.pidOf('worker'), 'SIGKILL')
  const [, lost] = await until(() => atLeast(2, reportsOf(service)), { what: 'another', timeoutMs: 60_000 })
  const tasks = await service.tasks('--state', 'parked')
  for (const [report, reason] of [
    [poison, 'poison'],
    [lost, 'lost'],
  ] as const) {
    const task = tasks.find((one) => one.reason === reason)
    assert.deepEqual(
      [report?.task, report?.request.path, report?.is_fatal_error],
      [{ id: task?.id, name: task?.name, attempt: task?.attempts, outcome: 'parked' }, '/fire', true],
    )
    assert.equal(report?.error_id, task?.id)
  }
  assert.match(String(poison?.title), /^poison\(\): executor \d ended \(signal SIGKILL\)/)
  assert.equal(poison?.callId, poison?.request.id)
  await service.fire('note', ['after'])
  await until(() => service.runs().some((run) => run.key === 'after' && run.ended), { what: 'others to run' })
  assert.equal(reportsOf(service).length, 2)
})

interface Told {
  readonly title: string
  readonly callId: string
  readonly error_id: string
  readonly is_fatal_error: boolean
  readonly task: object
  readonly request: { readonly id: string; readonly path: string }
}

function reportsOf(service: RunningService): readonly Told[] {
  const file = join(service.folder, 'reports.ndjson')
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

function atLeast<T>(count: number, list: readonly T[]): readonly T[] | undefined {
  return list.length >= count ? list : undefined
}

const reporting = `
import { appendFileSync } from 'node:fs'
import { currentCallId, defineService } from 'macaron'

export const service = defineService({
  errorReporter(title, data) {
    appendFileSync(new URL('reports.ndjson', import.meta.url), JSON.stringify({ ...data, title, callId: currentCallId() }) + '\\n')
  },
})
`

const oneExecutor = `
name: bench
with_async: true
worker_count: 1
log_format: json
`
