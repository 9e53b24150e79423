import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import { load } from './support/load.ts'
import { signal } from './support/processes.ts'
import { describeTally, tally } from './support/runs.ts'
import { startService } from './support/service.ts'
import { end } from './support/storm.ts'

/** Processes that are replaced or doubled while they work. */

test('executors that are replaced for their memory lose and double nothing, and cost no attempt', async (t) => {
  const service = await startService(t, {
    // Below what an executor needs with nothing to do: each is replaced as soon as it is 2 s old.
    files: { 'macaron.yaml': `${bench}worker_max_memory: 64\n` },
  })
  const requesting = load(t, service, { clients: 1, requests: 1_000_000, task: 'work', args: [100] })
  await until(() => service.output.split('is replaced: it uses').length > 4, {
    what: 'four executors to be replaced',
    timeoutMs: 30_000,
  })
  requesting.stop()
  const { answered, refused } = await requesting.ended
  await service.settled()
  const tasks = await service.tasks()
  const counts = tally(service.runs(), answered, tasks.length)
  t.diagnostic(describeTally(counts))
  assert.deepEqual([...refused], [])
  assert.deepEqual(counts.lost, [])
  assert.equal(counts.doubled, 0)
  assert.ok(tasks.every((task) => task.state === 'done' && task.attempts === 1 && task.crashes === 0))
})

test('of two servers that share the port one may be killed while the other serves, and both stop in order', async (t) => {
  const service = await startService(t, { files: { 'macaron.yaml': `${bench}http_workers: 2\n` } })
  await until(() => service.pids('server').length === 2, { what: 'two servers' })
  const requesting = load(t, service, { clients: 4, requests: 1_000_000 })
  await until(() => service.runs().length > 50, { what: 'tasks to run' })
  signal(service.pids('server')[0] ?? 0, 'SIGKILL')
  const enough = service.runs().length + 100
  await until(() => service.runs().length > enough && service.pids('server').length === 2, {
    what: 'the other to go on and the first to be replaced',
  })
  requesting.stop()
  const { answered } = await requesting.ended
  await end(service)
  const next = await startService(t, { folder: service.folder })
  await until(() => new Set(next.runs().map((run) => run.key)).size >= answered.length, {
    what: 'all to run',
  })
  const counts = tally(next.runs(), answered, (await next.tasks()).length)
  t.diagnostic(describeTally(counts))
  assert.deepEqual(counts.lost, [])
  assert.ok(counts.stored >= counts.answered)
})

const bench = 'name: bench\nwith_async: true\nworker_count: 2\nlog_format: json\n'
