import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lease } from '../../src/engines/engine.ts'
import type { TaskMessage } from '../../src/tasks/message.ts'
import { Killers } from '../../src/worker/killers.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'
import { messageOf } from './messages.ts'
import { allReady, heard, type Setup, setUp } from './setup.ts'

const times = (count: number, make: () => TaskMessage) => Array.from({ length: count }, make)

const goodDone = ({ engine }: Setup, count: number) =>
  until(() => engine.count('done') === count, { what: 'the good ones', timeoutMs: 60_000 })

for (const executors of [1, 2]) {
  test(`tasks behind sixty that end their executor run soon, and those are parked one by one (${executors} executors)`, async (t) => {
    const setup = await setUp(t, { executors })
    const { engine, file } = setup
    await allReady(setup, executors)
    await engine.enqueue([
      ...times(60, () => messageOf('die', [file, 'exit'])),
      ...times(60, () => messageOf('quick', [1])),
    ])
    await goodDone(setup, 60)
    assert.ok(engine.count('parked') < 10, `${engine.count('parked')} were parked before`)
    const parked = engine.count('parked')
    await engine.enqueue(times(20, () => messageOf('quick', [1])))
    await goodDone(setup, 80)
    await until(() => engine.count('parked') > parked + 1, {
      what: 'killers to be parked',
      timeoutMs: 60_000,
    })
    for (const { outcome, crashes } of engine.rows.values()) {
      if (outcome?.kind === 'parked') assert.equal(outcome.reason, 'poison')
      else assert.ok(crashes < 3)
    }
  })
}

test('more killers than are kept back, of two names, hold up nobody either', async (t) => {
  const notices = heard(t, 'notice')
  const setup = await setUp(t)
  const { engine, file } = setup
  await allReady(setup, 2)
  await engine.enqueue([
    ...times(150, () => messageOf('die', [file, 'exit'])),
    ...times(150, () => messageOf('dieToo')),
    ...times(20, () => messageOf('quick', [1])),
  ])
  await goodDone(setup, 20)
  const told = notices.map(({ message }) => /Two executors in a row have died of (\w+):/.exec(message)?.[1])
  assert.ok(told.includes('die') && told.includes('dieToo'))
})

test('a name that ends its executors no more runs side by side again, and nothing of it was parked', async (t) => {
  const setup = await setUp(t)
  const { engine, file } = setup
  await allReady(setup, 2)
  const messages = times(40, () => messageOf('dieAtFirst', [file, 4, 0]))
  await engine.enqueue(messages)
  await goodDone(setup, 40)
  const crashes = messages.map(({ id }) => engine.rows.get(id)?.crashes ?? 0)
  assert.ok(crashes.every((count) => count < 3))
  // Most were kept back, and not made suspects: alone they would have been so until their end.
  assert.ok(engine.settled.filter(({ outcome }) => outcome.kind === 'crashed').length < 10)
})

test('where no further executor can live, one that has died alone is run in the only one, and parked', async (t) => {
  const setup = await setUp(t, {
    executors: 1,
    entry: new URL('./fixtures/single-executor.ts', import.meta.url).pathname,
    env: { ...process.env, ONLY_PORT: String(await freePort()) },
  })
  const { engine, file } = setup
  const one = messageOf('die', [file, 'exit'])
  await engine.enqueue([one])
  const outcome = await until(() => engine.rows.get(one.id)?.outcome, {
    what: 'it to be parked',
    timeoutMs: 30_000,
  })
  assert.ok(outcome.kind === 'parked' && outcome.reason === 'poison')
})

test('killers that must not start twice wait in the store, and each dies once', async (t) => {
  const setup = await setUp(t)
  const { engine, file, notes } = setup
  await allReady(setup, 2)
  const killers = times(12, () => messageOf('die', [file, 'exit'], { options: { atMostOnce: true } }))
  await engine.enqueue([...killers, ...times(20, () => messageOf('quick', [1]))])
  await goodDone(setup, 20)
  await until(() => engine.count('parked') === 12, { what: 'all killers to be parked', timeoutMs: 60_000 })
  assert.equal(new Set(notes('die').map(({ id }) => id)).size, 12)
  assert.equal(notes('die').length, 12)
})

test('a stop gives back what was kept back, at no cost', async (t) => {
  const setup = await setUp(t)
  const { engine, worker, file } = setup
  await allReady(setup, 2)
  const notices = heard(t, 'notice')
  await engine.enqueue(times(30, () => messageOf('die', [file, 'exit'])))
  await until(() => notices.length > 0, { what: 'the killers to be known' })
  await worker.stop()
  const left = [...engine.rows.values()].filter(({ state }) => state !== 'parked')
  assert.ok(left.length > 20)
  for (const { state, token, failures } of left)
    assert.deepEqual([state, token, failures], ['queued', undefined, 0])
})

test('who was there when executors died of others is no killer, nor is who lives on in between', () => {
  const killers = new Killers(() => undefined)
  const [one, other] = [leaseOf('one'), leaseOf('other')]
  for (let n = 0; n < 5; n++) assert.equal(killers.died([one, other]), undefined)
  assert.equal(killers.died([]), undefined)
  for (let n = 0; n < 5; n++) {
    assert.equal(killers.died([one]), undefined)
    killers.survived('one')
  }
  assert.deepEqual(
    [killers.died([one]), killers.died([one, leaseOf('one')]), killers.died([one])],
    [undefined, 'one', undefined],
  )
  assert.deepEqual(killers.keepFrom([one, other]), [other])
  assert.deepEqual([killers.kept, killers.isFull], [[one], false])
  killers.survived('one')
  assert.deepEqual(killers.keepFrom([other]), [one, other])
  assert.deepEqual(killers.kept, [])
})

test('a killer that runs for hours instead does not keep its like back: after 10 s without a death they run beside it', async (t) => {
  const setup = await setUp(t)
  const { engine, notes, file } = setup
  await allReady(setup, 2)
  await engine.enqueue(times(30, () => messageOf('dieAtFirst', [file, 3, 600_000])))
  await until(() => notes('first').length === 4, { what: 'one to run on' })
  await until(() => notes('first').length >= 14, {
    what: 'ten others to run in the other executor',
    timeoutMs: 30_000,
  })
  assert.ok(engine.settled.filter(({ outcome }) => outcome.kind === 'crashed').length <= 3)
})

function leaseOf(name: string): Lease {
  return {
    token: name,
    message: { ...messageOf('quick'), name },
    attempt: 1,
    failures: 0,
    crashes: 0,
    suspect: false,
  }
}
