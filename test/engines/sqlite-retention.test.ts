import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { test } from 'node:test'
import {
  done,
  failed,
  makeMessage,
  makeMessages,
  parked,
  store,
  TestWorker,
} from '../../src/testing/engine-suite/setup.ts'
import { ownFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'
import { assertSound, openEngine, rowsOf, storeFile, tamper } from './store-file.ts'

test('a worker deletes settled tasks when they may go, and no others', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder })
  await store(engine, ...makeMessages(1_200), makeMessage({ runAt: Date.now() + 3_600_000 }))
  const worker = await TestWorker.start(engine, { room: { ordinary: 1_200 } })
  await worker.lease(1_199)
  const [kept, held, ...others] = worker.leases
  assert.ok(kept && held)
  await worker.settle(kept, done())
  const soon = Date.now() + 1
  await Promise.all(others.map((lease) => worker.settle(lease, failed('gone', soon))))
  await until(async () => (await engine.counts()).failed === 0, { what: 'the failed ones gone' })
  const { done: kepts, running, scheduled } = await engine.counts()
  assert.deepEqual([kepts, running, scheduled], [1, 1, 1])
  assert.equal(rowsOf(folder, 'SELECT 1 FROM messages').length, 3)
  assertSound(folder)
})

test('beyond the cap the oldest done tasks go first, and parked ones last', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder, keptTasks: 10 })
  await store(engine, ...makeMessages(30))
  const worker = await TestWorker.start(engine, { room: { ordinary: 30 } })
  await worker.lease(29)
  await Promise.all(
    worker.leases.map((lease, index) =>
      worker.settle(lease, index < 8 ? parked('refused') : done(`${index}`)),
    ),
  )
  await until(async () => (await engine.counts()).done === 2, { what: 'the surplus gone' })
  assert.equal((await engine.counts()).parked, 8)
  const left = await engine.list({ state: 'done' })
  assert.equal(left.length, 2)
  assertSound(folder)
})

test('a cancelled task is kept for a week', async (test) => {
  const folder = ownFolder(test)
  let ahead = 0
  const engine = await openEngine(test, { folder, now: () => Date.now() + ahead })
  const message = makeMessage()
  await store(engine, message)
  await engine.cancel(message.id)
  ahead = 6.9 * 86_400_000
  assert.equal(await engine.purge({}), 0)
  ahead = 7.1 * 86_400_000
  assert.equal(await engine.purge({}), 1)
})

test('a write-ahead log that has grown large is emptied by a worker', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder })
  // Another connection that never copies its log, as a reader that held it up would have caused.
  const rows =
    'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70) SELECT randomblob(1000000) FROM n'
  tamper(folder, `PRAGMA wal_autocheckpoint = 0; CREATE TABLE ballast AS ${rows}; DROP TABLE ballast`)
  const size = () => statSync(`${storeFile(folder)}-wal`).size
  assert.ok(size() > 64 * 1024 * 1024)
  await TestWorker.start(engine)
  await until(() => size() < 1024 * 1024, { what: 'the log emptied' })
})

test('a message that can’t be stored is refused by itself; the rest of its batch is stored', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder, role: 'server' })
  const good = makeMessages(2)
  const bad = [
    { priority: 1.5 },
    { runAt: Number.NaN },
    { runAt: 2 ** 60 },
    { firedAt: Number.POSITIVE_INFINITY },
  ].map((over) => makeMessage(over))
  const answers = await engine.enqueue([good[0], ...bad, good[1]].filter((message) => message !== undefined))
  assert.deepEqual(
    answers.map(({ stored }) => stored),
    [true, false, false, false, false, true],
  )
  const refusal = answers[1]
  assert.ok(refusal && !refusal.stored)
  assert.match(refusal.error.message, new RegExp(`sendEmail \\(${bad[0]?.id}\\) can't be stored: `))
  assert.equal((await engine.list({})).length, 2)
  assertSound(folder)
})

test('an outcome that can’t be stored fails its task with the reason, and holds up no other', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder })
  await store(engine, ...makeMessages(3))
  const worker = await TestWorker.start(engine)
  const [first, second, third] = [await worker.lease(0), await worker.lease(1), await worker.lease(2)]
  const child = makeMessage()
  const answers = await Promise.all([
    worker.settle(first, done('null', [child, makeMessage({ runAt: Number.NaN })])),
    worker.settle(second, { kind: 'retry', runAt: 0.5, error: { message: 'busy' } }),
    worker.settle(third, done()),
  ])
  assert.deepEqual(answers, ['settled', 'settled', 'settled'])
  assert.equal(await engine.find(child.id), undefined)
  const states = await Promise.all([first, second, third].map(({ message }) => engine.find(message.id)))
  assert.deepEqual(
    states.map((task) => task?.state),
    ['failed', 'failed', 'done'],
  )
  assert.match(states[0]?.error?.message ?? '', /can't be stored: The task sendEmail that it fired/)
  assertSound(folder)
})
