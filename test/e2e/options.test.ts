import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import { monotonicMs } from './support/clock.ts'
import { signal } from './support/processes.ts'
import type { Run } from './support/runs.ts'
import { type Listed, type RunningService, startService, writeFileIn } from './support/service.ts'
import { sharedService } from './support/shared-service.ts'
import { countOf, inStore } from './support/store-file.ts'

/** What can be asked for on a task, seen from outside: through HTTP, files and the command. */

/** Used by tests that look at tasks of their own keys only, and leave none that has not ended. */
const ordinary = sharedService()

/** The same, one task at a time. */
const oneByOne = sharedService({
  files: {
    'macaron.yaml':
      'name: bench\nwith_async: true\nworker_count: 1\nworker_concurrency: 1\nlog_format: json\n',
  },
})

test('a task that throws is retried after its backoff, and done or failed with its last error', async (t) => {
  const service = await ordinary()
  const { body: good } = await service.fire('fail', ['twice', 2])
  const { body: bad } = await service.fire('fail', ['always', 99], { options: { retries: 2 } })
  const { body: never } = await service.fire('fail', ['once', 99], { options: { retries: 0 } })
  await until(() => runsOf(service, 'twice').length === 3 && runsOf(service, 'always').length === 3, {
    what: 'the retries',
  })
  await service.settled()
  const states = new Map((await service.tasks()).map((task) => [task.id, task]))
  assert.equal(states.get(good.ids?.[0] ?? '')?.state, 'done')
  assert.equal(states.get(good.ids?.[0] ?? '')?.attempts, 3)
  const failed = states.get(bad.ids?.[0] ?? '')
  assert.equal(failed?.state, 'failed')
  assert.equal(failed?.attempts, 3)
  assert.match(failed?.error?.message ?? '', /the 3\. time/)
  assert.equal(states.get(never.ids?.[0] ?? '')?.attempts, 1)
  const pauses = pausesOf(runsOf(service, 'twice'))
  t.diagnostic(`pauses with a fixed backoff of 200 ms: ${pauses.map((ms) => ms.toFixed(0)).join(', ')} ms`)
  for (const pause of pauses) assert.ok(pause >= 195 && pause < 2000, `${pause} ms`)
})

test('an exponential backoff doubles, and jitter only takes off', async (t) => {
  const service = await ordinary()
  const backoff = { type: 'exponential', delay: 100, jitter: 0 }
  await service.fire('fail', ['steady', 99], { options: { retries: 3, backoff } })
  await service.fire('fail', ['jittered', 99], {
    options: { retries: 3, backoff: { ...backoff, jitter: 1 } },
  })
  await until(() => runsOf(service, 'steady').length === 4 && runsOf(service, 'jittered').length === 4, {
    what: 'the retries',
  })
  const steady = pausesOf(runsOf(service, 'steady'))
  const jittered = pausesOf(runsOf(service, 'jittered'))
  t.diagnostic(`100, 200, 400 ms became ${shown(steady)}; with jitter ${shown(jittered)}`)
  for (const [index, ms] of [100, 200, 400].entries()) {
    assert.ok((steady[index] ?? 0) >= ms - 5 && (steady[index] ?? 0) < ms + 500, shown(steady))
    assert.ok((jittered[index] ?? 0) < ms + 500, shown(jittered))
  }
})

test('delay and at hold a task back, as scheduled, for as long as they say', async () => {
  const service = await ordinary()
  const fired = monotonicMs()
  await service.fire('note', ['delayed'], { options: { delay: '3s' } })
  await service.fire('note', ['at'], { options: { at: Date.now() + 3000 } })
  await service.fire('note', ['past'], { options: { at: Date.now() - 1000 } })
  assert.equal(countOf(service.folder, 'scheduled'), 2)
  await until(() => ['delayed', 'at', 'past'].every((key) => runsOf(service, key).length === 1), {
    what: 'all to run',
  })
  for (const key of ['delayed', 'at']) {
    const late = (runsOf(service, key)[0]?.start ?? 0) - fired
    assert.ok(late >= 2995 && late < 6000, `${key}: ${late} ms`)
  }
  assert.ok((runsOf(service, 'past')[0]?.start ?? 0) - fired < 2900)
})

test('what is waiting runs by priority, and first come first served within it', async () => {
  const service = await oneByOne()
  await service.fire('block', ['first', 1000])
  await until(() => runsOf(service, 'first').length === 1, { what: 'the executor to be busy' })
  for (const [key, priority] of [
    ['c', 9],
    ['a1', 0],
    ['b', 5],
    ['a2', 0],
    ['d', 2_097_151],
  ] as const) {
    await service.fire('note', [key], { options: { priority } })
  }
  const expected = ['first', 'a1', 'a2', 'b', 'c', 'd']
  const own = () => service.runs().flatMap(({ key }) => (expected.includes(key) ? [key] : []))
  await until(() => own().length === 6, { what: 'all to run' })
  assert.deepEqual(own(), expected)
})

test('a queue can be listed by its name, and a settled task is kept as long as it says', async () => {
  const service = await ordinary()
  await service.fire('note', ['mail'], { options: { queue: 'mail', keep: 0 } })
  await service.fire('note', ['other'])
  await until(() => runsOf(service, 'mail').length + runsOf(service, 'other').length === 2, {
    what: 'both to run',
  })
  const inMail = "SELECT 1 FROM messages WHERE queue = 'mail'"
  await until(() => inStore(service.folder, (store) => store.prepare(inMail).get()) === undefined, {
    what: 'the one with keep: 0 to be deleted',
  })
  const left = await service.tasks()
  assert.ok(left.every((task) => task.queue === 'default'))
  assert.ok(left.some((task) => keyOf(task) === 'other'))
  await service.fire('note', ['more'], { options: { queue: 'mail' } })
  assert.equal((await service.tasks('--queue', 'mail')).length, 1)
  await until(() => runsOf(service, 'more').length === 1, { what: 'it to run' })
})

test('an atMostOnce task that was running when its executor or worker died is parked as lost, never run again', async (t) => {
  const service = await startService(t)
  for (const key of ['executor', 'worker']) {
    await service.fire('once', [key, 2000])
    const run = await until(() => runsOf(service, key)[0], { what: `${key} to start` })
    signal(key === 'executor' ? run.pid : await service.pidOf('worker'), 'SIGKILL')
    await until(() => service.output.includes(`is parked (lost)`), { what: 'it to be parked as lost' })
  }
  await service.settled()
  const parked = await service.tasks('--state', 'parked')
  assert.deepEqual(
    parked.map((task) => task.reason),
    ['lost', 'lost'],
  )
  assert.equal(service.runs().length, 2)
  assert.equal((await service.cli('tasks', 'retry', parked[0]?.id ?? '')).code, 0)
  await until(() => service.runs().length === 3, { what: 'the one that was retried by hand' })
})

test("a task's own tasks are fired once, with the attempt that succeeds", async () => {
  const service = await ordinary()
  await service.fire('parent', ['family', 3, 2])
  await service.settled()
  const ofFamily = (key: unknown) => String(key).startsWith('family')
  const tasks = (await service.tasks()).filter((task) => ofFamily(keyOf(task)))
  assert.deepEqual(
    tasks.map((task) => task.state),
    ['done', 'done', 'done', 'done'],
  )
  const runs = service.runs().filter((run) => ofFamily(run.key))
  assert.equal(runs.filter((run) => run.task === 'parent').length, 3)
  const children = runs.filter((run) => run.task === 'note')
  assert.deepEqual(children.map((run) => run.key).toSorted(), ['family/0', 'family/1', 'family/2'])
  const calls = new Set(runs.map((run) => run.callId))
  assert.equal(calls.size, 1, 'all carry the call id of the request')
})

test('a queued task can be cancelled, one that is running or done can not', async () => {
  const service = await oneByOne()
  const { body: running } = await service.fire('hold', ['busy'])
  await until(() => runsOf(service, 'busy').length === 1, { what: 'the executor to be busy' })
  const { body: queued } = await service.fire('note', ['never'], { options: { priority: 9 } })
  const { body: delayed } = await service.fire('note', ['never either'], { options: { delay: '1h' } })
  for (const [id, code, says] of [
    [running.ids?.[0], 1, /can't cancel a task that is running/],
    [queued.ids?.[0], 0, /cancelled/],
    [delayed.ids?.[0], 0, /cancelled/],
    ['no-such-id', 1, /no such task/],
  ] as const) {
    const answer = await service.cli('tasks', 'cancel', id ?? '')
    assert.equal(answer.code, code, answer.stdout)
    assert.match(answer.stdout, says)
  }
  writeFileIn(service.folder, 'let-go', '')
  await service.settled()
  const states = new Map((await service.tasks()).map((task) => [keyOf(task), task.state]))
  assert.deepEqual(
    ['busy', 'never', 'never either'].map((key) => states.get(key)),
    ['done', 'cancelled', 'cancelled'],
  )
  assert.equal(runsOf(service, 'never').length + runsOf(service, 'never either').length, 0)
  assert.equal((await service.cli('tasks', 'cancel', running.ids?.[0] ?? '')).code, 1)
})

/** What its request has called it. */
function keyOf({ args }: Listed): unknown {
  return Array.isArray(args) ? args[0] : undefined
}

function runsOf(service: RunningService, key: string): readonly Run[] {
  return service.runs().filter((run) => run.key === key)
}

function pausesOf(runs: readonly Run[]): readonly number[] {
  return runs.slice(1).map((run, index) => run.start - (runs[index]?.last ?? 0))
}

function shown(pauses: readonly number[]): string {
  return `${pauses.map((ms) => ms.toFixed(0)).join(', ')} ms`
}
