import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskMessage } from '../../src/tasks/message.ts'
import { until } from '../support/until.ts'
import { messageOf } from './messages.ts'
import { allReady, heard, type Note, type Setup, setUp } from './setup.ts'

/** Has ten attempts begun in one executor of two, and the other one idle and answering. Gives the first one's pid. */
async function gatherInOne(setup: Setup, messages: readonly TaskMessage[]): Promise<number> {
  const { engine, worker, notes } = setup
  await allReady(setup, 2)
  const [other] = worker.executors()
  process.kill(other?.pid ?? 0, 'SIGSTOP')
  await engine.enqueue(messages)
  await until(() => notes('begin').length === messages.length, { what: 'all to run in one executor' })
  process.kill(other?.pid ?? 0, 'SIGCONT')
  // The one with ten attempts is full: this one can only run in the other.
  await engine.enqueue([messageOf('quick', [1])])
  await until(() => engine.count('done') === 1, { what: 'the other executor to answer' })
  return notes('begin')[0]?.pid ?? 0
}

/** From begin to end of each run in one process, in the order they began. */
function runsOf(notes: readonly Note[], pid: number): { begin: number; end: number }[] {
  const own = notes.filter((note) => note.pid === pid)
  return own
    .filter(({ what }) => what === 'begin')
    .map(({ id, at }) => ({
      begin: at,
      end: own.find((note) => note.id === id && note.what === 'end')?.at ?? 0,
    }))
}

test('the ten attempts of a killed executor run again at once, each alone, on another one', async (t) => {
  const setup = await setUp(t)
  const { engine, notes } = setup
  const messages = Array.from({ length: 10 }, () => messageOf('longAtFirst', [setup.file, 10]))
  const victim = await gatherInOne(setup, messages)
  const killedAt = Date.now()
  process.kill(victim, 'SIGKILL')
  await until(() => engine.count('done') === 11, { what: 'all to be done' })

  const again = notes('begin').filter(({ pid }) => pid !== victim)
  assert.equal(again.length, 10)
  const firstMs = Math.min(...again.map(({ at }) => at)) - killedAt
  t.diagnostic(`the first runs again ${firstMs} ms after the kill`)
  // How soon is for `npm run bench -- recovery`; no lease has to run out.
  assert.ok(firstMs < 5000)
  for (const pid of new Set(again.map((note) => note.pid))) {
    const runs = runsOf(notes(), pid)
    for (const [n, run] of runs.entries()) assert.ok(n === 0 || run.begin >= (runs[n - 1]?.end ?? 0))
  }
  for (const { id } of messages) {
    const row = engine.rows.get(id)
    assert.deepEqual([row?.failures, row?.crashes, row?.suspect], [0, 0, false])
  }
})

for (const how of ['exit', 'exit 0', 'abort', 'kill', 'stray error', 'stray rejection', 'memory']) {
  test(`of ten tasks one ends its executor (${how}): nine finish, it is parked after three crashes alone`, async (t) => {
    const died = heard(t, 'executor.exit')
    const parked = heard(t, 'task.parked')
    const setup = await setUp(t, {
      env: { ...process.env, NODE_OPTIONS: '--max-old-space-size=64' },
    })
    const { engine, notes } = setup
    await allReady(setup, 2)
    const poison = messageOf('die', [setup.file, how])
    const innocent = Array.from({ length: 9 }, () => messageOf('wait', [setup.file, 100]))
    await engine.enqueue([...innocent.slice(0, 4), poison, ...innocent.slice(4)])
    await until(() => engine.count('done') === 9 && engine.count('parked') === 1, {
      what: 'nine to be done and one to be parked',
      timeoutMs: 40_000,
    })

    const outcome = engine.rows.get(poison.id)?.outcome
    assert.ok(outcome?.kind === 'parked' && outcome.reason === 'poison')
    assert.equal(outcome.error.code, 'EXECUTOR_DIED')
    await until(() => parked[0]?.name === 'die', { what: 'it to be told' })
    assert.equal(notes('die').length, 4)
    assert.equal(died.length, 4)
    for (const { tasks } of died.slice(1)) assert.deepEqual(tasks, ['die'])
    for (const { id } of innocent) assert.equal(engine.rows.get(id)?.crashes, 0)
  })
}

test('an error outside any promise is told with the task it came from', async (t) => {
  const { engine, file } = await setUp(t, { executors: 1 })
  const poison = messageOf('die', [file, 'stray error'])
  await engine.enqueue([poison])
  const outcome = await until(() => engine.rows.get(poison.id)?.outcome, { what: 'it to be parked' })
  assert.ok(outcome.kind === 'parked')
  assert.match(outcome.error.message, /exit code 1.*thrown outside any promise/)
})

test('a task that must not start twice is parked as lost when its executor dies, and not run again', async (t) => {
  const { engine, file, notes } = await setUp(t, { executors: 1 })
  const message = messageOf('wait', [file, 60_000], { options: { atMostOnce: true } })
  await engine.enqueue([message])
  const [begun] = await until(() => (notes('wait').length > 0 ? notes('wait') : undefined), {
    what: 'its start',
  })
  process.kill(begun?.pid ?? 0, 'SIGKILL')
  const outcome = await until(() => engine.rows.get(message.id)?.outcome, { what: 'it to be settled' })
  assert.ok(outcome.kind === 'parked' && outcome.reason === 'lost')
  await engine.enqueue([messageOf('quick', [1])])
  await until(() => engine.count('done') === 1, { what: 'the next task' })
  assert.equal(notes('wait').length, 1)
})

test('with one executor its tasks run again as soon as the next one is ready', async (t) => {
  const setup = await setUp(t, { executors: 1 })
  const { engine, notes, file } = setup
  await engine.enqueue([messageOf('longAtFirst', [file, 5])])
  const [begun] = await until(() => (notes('begin').length > 0 ? notes('begin') : undefined), {
    what: 'its start',
  })
  const ready = heard(t, 'executor.ready')
  const killedAt = Date.now()
  process.kill(begun?.pid ?? 0, 'SIGKILL')
  await until(() => engine.count('done') === 1, { what: 'its end' })
  assert.ok(ready.length >= 1)
  t.diagnostic(
    `runs again ${(notes('begin')[1]?.at ?? 0) - killedAt} ms after the kill, start of an executor included`,
  )
})

test('a suspect that finds every executor busy for long gets one of its own, and ordinary work goes on', async (t) => {
  const setup = await setUp(t)
  const { engine, worker, notes, file } = setup
  await allReady(setup, 2)
  await engine.enqueue(Array.from({ length: 4 }, () => messageOf('wait', [file, 60_000])))
  await until(() => notes('wait').length === 4, { what: 'both to be busy' })
  engine.enqueueSuspects([messageOf('wait', [file, 60_000])])
  await until(() => notes('wait').length === 5, { what: 'the suspect to run' })
  await engine.enqueue([messageOf('quick', [1])])
  await until(() => engine.count('done') === 1, { what: 'ordinary work' })
  assert.equal(worker.executors().length, 3)
  const alone = notes('wait').at(-1)?.pid
  assert.equal(notes('wait').filter(({ pid }) => pid === alone).length, 1)
})

test('at most half of the executors run suspects while other work waits', async (t) => {
  const setup = await setUp(t, { executors: 4 })
  const { engine, notes, file } = setup
  await allReady(setup, 4)
  engine.enqueueSuspects(Array.from({ length: 6 }, () => messageOf('wait', [file, 150])))
  await until(() => notes('wait').length === 2, { what: 'two suspects to run' })
  await engine.enqueue(Array.from({ length: 50 }, () => messageOf('quick', [1])))
  await until(() => engine.count('done') >= 50, { what: 'ordinary work' })
  assert.ok(notes('waited').length < 6)
  await until(() => engine.count('done') === 56, { what: 'the suspects' })
  const running = notes().reduce<number[]>((counts, { what }) => {
    counts.push((counts.at(-1) ?? 0) + (what === 'wait' ? 1 : -1))
    return counts
  }, [])
  assert.equal(Math.max(...running), 2)
})

test('when the only executor is alone with a suspect, ordinary work runs in a further one', async (t) => {
  const setup = await setUp(t, { executors: 1 })
  const { engine, worker, notes, file } = setup
  engine.enqueueSuspects([messageOf('wait', [file, 60_000])])
  await until(() => notes('wait').length === 1, { what: 'the suspect to run' })
  await engine.enqueue([messageOf('quick', [1])])
  await until(() => engine.count('done') === 1, { what: 'ordinary work, in a further executor' })
  assert.equal(worker.executors().length, 2)
})

test('an executor that cuts its channel to the worker is ended, and its task counts as crashed', async (t) => {
  const { engine } = await setUp(t, { executors: 1 })
  const message = messageOf('disconnect')
  await engine.enqueue([message])
  const outcome = await until(() => engine.rows.get(message.id)?.outcome, { what: 'it to be parked' })
  assert.ok(outcome.kind === 'parked' && outcome.reason === 'poison')
})
