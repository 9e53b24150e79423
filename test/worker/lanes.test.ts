import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { TaskMessage } from '../../src/tasks/message.ts'
import { Hand } from '../../src/worker/hand.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'
import { messageOf } from './messages.ts'
import { allReady, heard, type Setup, setUp } from './setup.ts'

/** Has a name known to be short, and then one task of it hang in each executor. */
async function hangEach(setup: Setup, executors: number): Promise<void> {
  const { engine, worker, notes, file } = setup
  await allReady(setup, executors)
  await engine.enqueue(Array.from({ length: 20 }, () => messageOf('wait', [file, 0])))
  await until(() => engine.count('done') === 20, { what: 'the pace to be known' })
  await engine.enqueue(Array.from({ length: executors }, () => messageOf('wait', [file, 600_000])))
  await until(() => notes('wait').length === 20 + executors, { what: 'all to hang' })
  assert.deepEqual(
    worker.executors().map(({ inHand }) => inHand),
    Array.from({ length: executors }, () => 1),
  )
}

for (const executors of [1, 2]) {
  test(`a hung task of a short name in each of ${executors} executors holds up neither a suspect nor ordinary work`, async (t) => {
    const ready = heard(t, 'executor.ready')
    const setup = await setUp(t, { executors })
    const { engine, file } = setup
    await hangEach(setup, executors)
    for (let round = 0; round < 3; round++) {
      const [suspect, ordinary] = [messageOf('noted', [file]), messageOf('noted', [file])]
      const firedAt = performance.now()
      engine.enqueueSuspects([suspect])
      await engine.enqueue([ordinary])
      const ended = [suspect, ordinary].map(({ id }) =>
        until(() => engine.rows.get(id)?.state === 'done', { what: 'both to run' }).then(
          () => performance.now() - firedAt,
        ),
      )
      const [suspectMs, ordinaryMs] = await Promise.all(ended)
      t.diagnostic(`suspect done after ${suspectMs} ms, ordinary task after ${ordinaryMs} ms`)
    }
    // One more served all three.
    assert.equal(ready.length, executors + 1)
  })
}

test('a suspect does not wait for the end of what is known to take long', async (t) => {
  const setup = await setUp(t, { executors: 1 })
  const { engine, file, notes } = setup
  await allReady(setup, 1)
  await engine.enqueue(Array.from({ length: 5 }, () => messageOf('wait', [file, 3_000])))
  await until(() => engine.count('done') === 5, { what: 'the pace to be known' })
  const long = messageOf('wait', [file, 3_000])
  await engine.enqueue([long])
  await until(() => notes('wait').length === 6, { what: 'it to run' })
  engine.enqueueSuspects([messageOf('quick', [1])])
  await until(() => engine.count('done') === 6, { what: 'the suspect' })
  assert.equal(engine.rows.get(long.id)?.state, 'running')
})

/** A worker whose further executors end in their start. */
async function setUpSingle(t: TestContext): Promise<Setup> {
  const entry = new URL('./fixtures/single-executor.ts', import.meta.url).pathname
  return setUp(t, { executors: 1, entry, env: { ...process.env, ONLY_PORT: String(await freePort()) } })
}

test('where no further executor can live, ordinary work goes on beside a hung task while a suspect waits', async (t) => {
  const setup = await setUpSingle(t)
  const { engine } = setup
  await hangEach(setup, 1)
  const suspect = messageOf('quick', [1])
  engine.enqueueSuspects([suspect])
  const firedAt = performance.now()
  for (let done = 21; done <= 120; done++) {
    await engine.enqueue([messageOf('quick', [1])])
    await until(() => engine.count('done') === done, { what: 'the next to run' })
  }
  t.diagnostic(`100 ordinary tasks, one after another, took ${performance.now() - firedAt} ms`)
  assert.notEqual(engine.rows.get(suspect.id)?.state, 'done')
})

test('where no further executor can live, a suspect comes to its turn among tasks that always take long', async (t) => {
  const setup = await setUpSingle(t)
  const { engine, file } = setup
  await allReady(setup, 1)
  await engine.enqueue(Array.from({ length: 10 }, (_, n) => messageOf('wait', [file, 1_100 + n * 60])))
  await until(() => engine.count('done') === 10, { what: 'the pace to be known' })
  const suspect = messageOf('quick', [1])
  const isDone = ({ id }: TaskMessage) => engine.rows.get(id)?.state === 'done'
  const keepBusy = async (ms: number) => {
    while (!isDone(suspect)) {
      const message = messageOf('wait', [file, ms])
      await engine.enqueue([message])
      await until(() => isDone(message), { what: 'ordinary work' })
    }
  }
  const busy = [1_100, 1_300, 1_700].map(keepBusy)
  await until(() => engine.count('running') === 3, { what: 'it to be busy' })
  const firedAt = performance.now()
  engine.enqueueSuspects([suspect])
  await until(() => isDone(suspect), { what: 'the suspect' })
  t.diagnostic(`the suspect was done after ${performance.now() - firedAt} ms`)
  await Promise.all(busy)
})

test('a stop while an executor is kept free leaves no timer, and gives the suspect back', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length
  const before = timers()
  const setup = await setUp(t, { executors: 1, stopTimeoutMs: 100 })
  const { engine, worker } = setup
  await hangEach(setup, 1)
  const suspect = messageOf('quick', [1])
  engine.enqueueSuspects([suspect])
  await until(() => engine.rows.get(suspect.id)?.state === 'running', { what: 'it to wait in the worker' })
  await worker.stop()
  assert.ok(timers() <= before)
  assert.deepEqual(
    [engine.rows.get(suspect.id)?.state, engine.rows.get(suspect.id)?.suspect],
    ['queued', true],
  )
})

test('in a hand may hang what is there for a second longer than it was expected to take', () => {
  const hand = new Hand()
  const lease = {
    token: '1',
    message: messageOf('quick'),
    attempt: 1,
    failures: 0,
    crashes: 0,
    suspect: false,
  }
  assert.equal(hand.mayHang(1e9), false)
  hand.add(lease, 5_000, 100)
  hand.add(lease, Number.POSITIVE_INFINITY, 100)
  assert.deepEqual([hand.mayHang(6_100), hand.mayHang(6_101)], [false, true])
  const { number } = hand.add(lease, 10, 200)
  assert.deepEqual([hand.mayHang(1_210), hand.mayHang(1_211)], [false, true])
  hand.remove(number)
  assert.equal(hand.mayHang(1_211), false)
})
