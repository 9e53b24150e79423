import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import type { Role } from './support/processes.ts'
import { startService } from './support/service.ts'

/** Stops at bad moments: while it starts, while a loop is blocked, while a handler hangs. */

const hasty = 'name: bench\nwith_async: true\nworker_count: 1\nstop_timeout: 500ms\nlog_format: json\n'

for (const role of ['server', 'worker', 'executor'] as const satisfies readonly Role[]) {
  test(`Ctrl-C while the first ${role} is being started ends everything`, async (t) => {
    const service = await startService(t, { files: { 'macaron.yaml': hasty }, wait: false })
    await service.pidOf(role)
    service.signalGroup('SIGINT')
    const at = performance.now()
    await service.exit
    await until(() => service.isGone(), { what: 'everything to be gone', timeoutMs: 1000 })
    t.diagnostic(`gone after ${(performance.now() - at).toFixed(0)} ms, exit code ${await service.exit}`)
    assert.doesNotMatch(service.output, /node:internal|CHILD_FAILED/)
  })
}

test('a blocked loop does not hold a stop beyond stop_timeout, and its task goes back at no cost', async (t) => {
  const service = await startService(t, { files: { 'macaron.yaml': hasty } })
  await service.fire('block', ['busy', 20_000])
  await until(() => service.runs().length === 1, { what: 'the blocking task to start' })
  const at = performance.now()
  service.signalGroup('SIGINT')
  await service.exit
  const took = performance.now() - at
  t.diagnostic(`stopped after ${took.toFixed(0)} ms`)
  assert.ok(took < 5000)
  assert.ok(service.isGone())
  const [task] = await service.tasks()
  assert.equal(task?.state, 'queued')
  assert.equal(task?.attempts, 0)
})

test('a handler that hangs is answered with 503 at the end of stop_timeout, and what it fired is dropped', async (t) => {
  const service = await startService(t, { files: { 'macaron.yaml': hasty } })
  const hanging = service.fire('note', ['never'], { end: 'hang' })
  await until(() => service.output.includes('is up'), { what: 'the address to be printed' })
  const waiting = service.get('/wait/8000')
  await service.get('/wait/1')
  service.signalGroup('SIGTERM')
  const answers = [await hanging, await waiting]
  for (const { status, body } of answers) assert.deepEqual([status, body.error], [503, 'SERVER_STOPPING'])
  assert.equal(await service.exit, 0)
  assert.deepEqual(await service.tasks(), [])
})
