import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import { busyOrphan } from './support/busy-orphan.ts'
import { signal } from './support/processes.ts'
import { tally } from './support/runs.ts'
import { startService } from './support/service.ts'

test('no task runs in two places while an executor in a busy loop outlives its killed worker', async (t) => {
  await busyOrphan(t)
})

test('an executor whose whole service was killed in a busy loop is killed by the next start before its task runs again', async (t) => {
  const service = await startService(t)
  await service.fire('block', ['busy', 5000])
  const orphan = await until(() => service.runs()[0], { what: 'the busy loop' })
  for (const role of ['macaron', 'server', 'worker'] as const)
    for (const pid of service.pids(role)) signal(pid, 'SIGKILL')
  assert.ok(service.pids('executor').includes(orphan.pid), 'the orphan lives on')
  const next = await startService(t, { folder: service.folder })
  await until(() => next.runs().some((run) => run.key === 'busy' && run.ended), {
    what: 'it to end',
    timeoutMs: 20_000,
  })
  assert.equal(tally(next.runs(), ['busy'], 1).overlaps, 0)
  assert.equal(next.runs().length, 2)
  assert.ok(service.isGone())
})
