import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import { load } from './support/load.ts'
import { signal } from './support/processes.ts'
import { rollingRestarts } from './support/rolling.ts'
import { describeTally, tally } from './support/runs.ts'
import { type RunningService, startService } from './support/service.ts'

/** A stop cuts no request off, loses no task, costs no attempt, and leaves nothing running. */

for (const [how, stop] of [
  ['Ctrl-C', (service: RunningService) => service.signalGroup('SIGINT')],
  ['SIGTERM to the command alone', (service: RunningService) => void process.kill(service.pid, 'SIGTERM')],
] as const) {
  test(`${how} under load ends everything in order`, async (t) => {
    const service = await startService(t)
    const slow = service.get('/wait/1000')
    const requesting = load(t, service, { clients: 2, requests: 100_000, task: 'work', args: [100] })
    await until(() => service.runs().length > 100, { what: 'tasks to run' })
    const at = performance.now()
    stop(service)
    assert.equal((await slow).status, 200, 'a request under way was cut off')
    requesting.stop()
    assert.equal(await service.exit, 0)
    const took = performance.now() - at
    assert.ok(service.isGone(), 'something is left running')
    const { answered, refused } = await requesting.ended
    const before = service.runs()
    assert.deepEqual(
      before.filter((run) => !run.ended),
      [],
      'a run was cut off',
    )
    assert.deepEqual(
      [...refused.keys()].filter((status) => status !== 'no answer' && status !== '503'),
      [],
    )
    const next = await startService(t, { folder: service.folder })
    await until(() => next.runs().filter((run) => run.ended).length >= answered.length, {
      what: 'the rest to run',
    })
    const tasks = await next.settled().then(() => next.tasks())
    const counts = tally(next.runs(), answered, tasks.length)
    t.diagnostic(
      `stopped in ${took.toFixed(0)} ms; ${describeTally(counts)}; left for the next start ${counts.runs - before.length}`,
    )
    assert.deepEqual(counts.lost, [])
    assert.equal(counts.doubled, 0)
    assert.ok(tasks.every((task) => task.state === 'done'))
    assert.deepEqual(
      tasks.filter((task) => task.attempts !== 1),
      [],
      'the stop cost an attempt',
    )
    assert.ok(took < 11_000, `${took} ms`)
  })
}

test('tasks that do not end within stop_timeout go back to the queue at no cost, and run again at the next start', async (t) => {
  const service = await startService(t, {
    files: {
      'macaron.yaml':
        'name: bench\nwith_async: true\nworker_count: 1\nstop_timeout: 500ms\nlog_format: json\n',
    },
  })
  await service.fire('work', ['long', 4000])
  await until(() => service.runs().length === 1, { what: 'the task to start' })
  const at = performance.now()
  service.signalGroup('SIGINT')
  await service.exit
  assert.ok(performance.now() - at < 3500, 'it waited for the task')
  const [given] = await service.tasks()
  assert.equal(given?.state, 'queued')
  assert.equal(given?.attempts, 0)
  const next = await startService(t, { folder: service.folder })
  await until(() => next.runs().some((run) => run.ended), { what: 'the task to run again' })
  const [done] = await next.settled().then(() => next.tasks())
  assert.equal(done?.state, 'done')
  assert.equal(done?.attempts, 1)
  assert.equal(done?.crashes, 0)
})

test('a supervisor that is killed takes everything along in order, and nothing is lost', async (t) => {
  const service = await startService(t)
  await service.fire('work', ['running', 1000])
  await until(() => service.runs().length === 1, { what: 'the task to start' })
  signal(service.pid, 'SIGKILL')
  await until(() => service.isGone(), { what: 'its children to end by themselves', timeoutMs: 15_000 })
  assert.ok(
    service.runs().every((run) => run.ended),
    'the running task was cut off',
  )
  const next = await startService(t, { folder: service.folder })
  assert.equal((await next.fire('note', ['after'])).status, 200)
  await until(() => next.runs().length === 2, { what: 'the next task to run' })
  assert.deepEqual((await next.tasks()).map((task) => task.attempts).slice(1), [1])
})

test('a second Ctrl-C ends everything at once, and loses nothing', async (t) => {
  const service = await startService(t)
  await service.fire('work', ['long', 3000])
  await until(() => service.runs().length === 1, { what: 'the task to start' })
  service.signalGroup('SIGINT')
  await until(() => service.output.includes('Stops: waits for 1'), { what: 'the gentle stop' })
  const at = performance.now()
  // A second one within 200 ms counts as the same: npm passes on what the terminal has sent to everyone already.
  await until(() => performance.now() - at > 300, { what: 'a moment' })
  service.signalGroup('SIGINT')
  await service.exit
  assert.ok(performance.now() - at < 1800)
  await until(() => service.isGone(), { what: 'everything to be gone', timeoutMs: 1000 })
  const next = await startService(t, { folder: service.folder })
  await until(() => next.runs().some((run) => run.ended), { what: 'the task to run again' })
})

test('a rolling restart, the next worker started before the first stops, loses and doubles nothing', async (t) => {
  await rollingRestarts(t, 2)
})
