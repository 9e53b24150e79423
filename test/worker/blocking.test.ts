import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runs } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { messageOf } from './messages.ts'
import { allReady, heard, setUp } from './setup.ts'

test('a task that blocks its loop for 3 s holds up no other until its end, is reported, and runs once', async (t) => {
  const blocked = heard(t, 'executor.blocked')
  const setup = await setUp(t)
  const { engine, notes, file } = setup
  await allReady(setup, 2)
  // Known to be short, so that many are on their way at a time.
  await engine.enqueue(Array.from({ length: 200 }, () => messageOf('noted', [file])))
  await until(() => engine.count('done') === 200, { what: 'the pace to be known' })

  const block = messageOf('compute', [file, 3000])
  const others = Array.from({ length: 400 }, () => messageOf('noted', [file]))
  const firedAt = Date.now()
  await engine.enqueue([...others.slice(0, 40), block, ...others.slice(40)])
  await until(() => engine.count('done') >= 600, { what: 'all others to be done' })
  const latest = Math.max(...others.map(({ id }) => notes('noted').find((note) => note.id === id)?.at ?? 0))
  t.diagnostic(`the last of 400 others started ${latest - firedAt} ms after the fire`)
  // Any that had waited for the blocked executor would have started after it.
  assert.ok(latest - firedAt < 2700)
  await until(() => engine.count('done') === 601, { what: 'the blocking one to be done' })

  assert.equal(notes('compute').length, 1)
  assert.equal(notes('noted').length, 600)
  assert.equal(blocked.length, 1)
  // What has ended in the same turn of the loop before it could not be told yet, so it may be among them.
  assert.ok(blocked[0]?.tasks.includes('compute'))
})

test('tasks keep starting without delay while one blocks', async (t) => {
  const setup = await setUp(t)
  const { engine, notes, file } = setup
  await allReady(setup, 2)
  await engine.enqueue([messageOf('block', [file, 4000])])
  await until(() => notes('block').length === 1, { what: 'the loop to be blocked' })
  const delays: number[] = []
  for (let round = 0; round < 30; round++) {
    const message = messageOf('noted', [file])
    await engine.enqueue([message])
    await until(() => engine.rows.get(message.id)?.state === 'done', { what: 'the next to run', everyMs: 2 })
    delays.push((notes('noted').find(({ id }) => id === message.id)?.at ?? 0) - message.firedAt)
  }
  t.diagnostic(`delays while blocked: ${delays.join(' ')} ms`)
  assert.ok(Math.max(...delays) < 2000)
  // Once it is known to be blocked, nothing goes there any more.
  assert.ok(Math.max(...delays.slice(-10)) < 600)
})

/** All that is in an executor's hands may have begun, and ended untold, in the turn of the loop in which it is stopped. */
const mostInHand = 160

test('an executor stopped (SIGSTOP) while tasks are handed over, and continued later, runs none twice', async (t) => {
  const setup = await setUp(t, { executors: 3 })
  const { engine, worker, notes, file } = setup
  await allReady(setup, 3)
  const total = 1500
  const messages = Array.from({ length: total }, () => messageOf('noted', [file]))
  for (let batch = 0; batch < 15; batch++) {
    const victim = worker.executors()[batch % 3]?.pid ?? 0
    await engine.enqueue(messages.slice(batch * 50, batch * 50 + 50))
    process.kill(victim, 'SIGSTOP')
    const stoppedAt = performance.now()
    await engine.enqueue(messages.slice(750 + batch * 50, 800 + batch * 50))
    // Shorter and longer than the time after which work is taken back, in turn.
    const [enough, longer] = batch % 2 === 0 ? [20, 0] : [(batch + 1) * 100 - mostInHand, 500]
    await until(() => engine.count('done') >= enough && performance.now() > stoppedAt + longer, {
      what: 'work elsewhere',
    })
    process.kill(victim, 'SIGCONT')
  }
  await until(() => engine.count('done') === total, { what: 'all to be done' })
  const ids = notes('noted').map(({ id }) => id)
  assert.equal(ids.length, total)
  assert.equal(new Set(ids).size, total)
})

test('an executor that never answers again is replaced, and what it had not begun runs elsewhere', async (t) => {
  const setup = await setUp(t)
  const { engine, worker, notes, file } = setup
  await allReady(setup, 2)
  const [victim] = worker.executors()
  process.kill(victim?.pid ?? 0, 'SIGSTOP')
  await engine.enqueue(Array.from({ length: 20 }, () => messageOf('noted', [file])))
  await until(() => engine.count('done') === 20, { what: 'all to run elsewhere' })
  assert.equal(new Set(notes('noted').map(({ pid }) => pid)).has(victim?.pid ?? 0), false)
  await until(() => !runs(victim?.pid ?? 0), { what: 'the silent one to be ended', timeoutMs: 20_000 })
  await allReady(setup, 2)
})

test('arguments larger than the channel holds arrive, also while an executor does not read', async (t) => {
  const setup = await setUp(t, { concurrency: 50 })
  const { engine, worker } = setup
  await allReady(setup, 2)
  const [victim] = worker.executors()
  process.kill(victim?.pid ?? 0, 'SIGSTOP')
  await engine.enqueue(Array.from({ length: 60 }, () => messageOf('quick', ['x'.repeat(200_000)])))
  await until(() => engine.count('done') >= 30, { what: 'the other executor to work' })
  process.kill(victim?.pid ?? 0, 'SIGCONT')
  await until(() => engine.count('done') === 60, { what: 'all to be done' })
})

test('arguments that take the channel longer than an order may take to begin run all the same', async (t) => {
  const setup = await setUp(t, { concurrency: 50 })
  const { engine } = setup
  await allReady(setup, 2)
  await engine.enqueue(Array.from({ length: 100 }, () => messageOf('quick', ['x'.repeat(500_000)])))
  await until(() => engine.count('done') === 100, { what: 'all to be done' })
})

test('where every order comes too late they are given more time, until they run', async (t) => {
  const blocked = heard(t, 'executor.blocked')
  const setup = await setUp(t, { executors: 1 })
  const { engine, notes, file } = setup
  await allReady(setup, 1)
  await engine.enqueue([messageOf('receiveSlowly', [500])])
  await until(() => engine.count('done') === 1, { what: 'it to be slow' })
  await engine.enqueue(Array.from({ length: 20 }, () => messageOf('noted', [file])))
  await until(() => engine.count('done') === 21, { what: 'all to be done' })
  assert.equal(notes('noted').length, 20)
  assert.equal(blocked.length, 0)
})

test('a worker whose executors hold what was short and hangs now does not ask for more, only to give it back', async (t) => {
  const setup = await setUp(t)
  const { engine, notes, file } = setup
  await allReady(setup, 2)
  await engine.enqueue(Array.from({ length: 200 }, () => messageOf('wait', [file, 0])))
  await until(() => engine.count('done') === 200, { what: 'the pace to be known' })
  await engine.enqueue(Array.from({ length: 20 }, () => messageOf('wait', [file, 2_000])))
  await until(() => notes('wait').length === 220, { what: 'all to hang' })
  const returned = () => engine.settled.filter(({ outcome }) => outcome.kind === 'returned').length
  const before = returned()
  await engine.enqueue(Array.from({ length: 100 }, () => messageOf('quick', [1])))
  await until(() => engine.count('done') === 320, { what: 'all to be done' })
  t.diagnostic(`given back ${returned() - before} times`)
  assert.ok(returned() - before < 1_000)
})
