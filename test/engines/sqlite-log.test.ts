import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { type Events, on } from '../../src/core/events.ts'
import { Checkpoints } from '../../src/engines/sqlite/checkpoints.ts'
import { Log } from '../../src/engines/sqlite/log.ts'
import { makeMessages, TestWorker } from '../../src/testing/engine-suite/setup.ts'
import { ownFolder } from '../support/folder.ts'
import { startedProgram } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { openEngine, storeFile } from './store-file.ts'

test('a server without a worker copies its log into the database file, so that the log does not grow for ever', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder, role: 'server' })
  const args = JSON.stringify(['x'.repeat(100_000)])
  const logSize = () => statSync(`${storeFile(folder)}-wal`).size
  let largest = 0
  // 240 MB in all: six times what is written between two checkpoints.
  for (let batch = 0; batch < 240; batch++) {
    await engine.enqueue(makeMessages(10, { args }))
    largest = Math.max(largest, logSize())
  }
  assert.ok(largest > 40_000_000 && largest < 200_000_000, `${largest} bytes of log`)
  assert.ok(statSync(storeFile(folder)).size > 40_000_000)
  assert.equal((await engine.counts()).queued, 2_400)
})

test('writers who leave no gap for a checkpoint wait for one before the log grows any longer', async (t) => {
  const file = `${ownFolder(t)}/some.db`
  const [reading, writing] = [new DatabaseSync(file), new DatabaseSync(file)]
  t.after(() => {
    reading.close()
    writing.close()
  })
  writing.exec('PRAGMA journal_mode = WAL; CREATE TABLE things (thing TEXT)')
  const pagesInLog = () => reading.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()?.log
  const checkpoints = new Checkpoints(file)
  // Nobody gets the lock that it needs.
  writing.exec('BEGIN IMMEDIATE')
  checkpoints.wrote(200_000_000)
  for (let times = 0; times < 2; times++) await checkpoints.room()
  assert.ok(checkpoints.room(), 'it has come to nothing so far')
  writing.exec(`INSERT INTO things VALUES (printf('%.*c', 500000, 'x')); COMMIT`)
  assert.ok(Number(pagesInLog()) > 100)
  await checkpoints.room()
  await checkpoints.room()
  assert.equal(checkpoints.room(), undefined)
  writing.exec(`INSERT INTO things VALUES ('y')`)
  assert.ok(Number(pagesInLog()) < 10, 'the log has begun anew')
  await checkpoints.close()
})

test('a log that is closed in the middle of a flush ends the flush first, and never touches another file', async (test) => {
  const folder = ownFolder(test)
  const file = `${folder}/some.db`
  writeFileSync(`${file}-wal`, 'frames')
  for (let round = 0; round < 50; round++) {
    const log = new Log(file)
    const flushes = [log.flush(), log.flush()]
    log.close()
    log.close()
    await Promise.all(flushes)
  }
  assert.equal(readFileSync(`${file}-wal`, 'utf8'), 'frames')
})

for (const role of ['server', 'worker'] as const)
  test(`a process that reads for long makes the log of a ${role} long: told once, tasks are stored all the same, and once it ends the log is short again`, async (test) => {
    const folder = ownFolder(test)
    const engine = await openEngine(test, { folder, role })
    if (role === 'worker') await TestWorker.start(engine, { room: { ordinary: 0 } })
    const told = tellings(test)
    const reader = await startedProgram(test, new URL('./fixtures/read-on.ts', import.meta.url), {
      args: [storeFile(folder)],
    })
    const args = JSON.stringify(['x'.repeat(1_000_000)])
    for (let batch = 0; batch < 26; batch++) await engine.enqueue(makeMessages(10, { args }))
    const long = await until(() => told.long[0], { what: 'it to be told' })
    assert.equal(long.code, 'STORE_LOG_LONG')
    assert.match(
      long.message ?? '',
      /has grown to \d+ MiB, since another process has been reading it for long/,
    )
    const health = await engine.health()
    assert.equal(health.storing, true)
    assert.deepEqual([health.warnings.length, health.warnings[0]?.includes('[STORE_LOG_LONG]')], [1, true])
    assert.equal(
      health.reasons.some((reason) => reason.includes('STORE_LOG_LONG')),
      false,
    )
    await engine.enqueue(makeMessages(10, { args }))
    assert.deepEqual([told.long.length, told.short.length], [1, 0])
    reader.kill('SIGKILL')
    await until(() => told.short.length === 1, { what: 'the log to be short again' })
    assert.deepEqual((await engine.health()).warnings, [])
    assert.ok(statSync(`${storeFile(folder)}-wal`).size < 100_000_000)
    assert.equal((await engine.counts()).queued, 270)
    assert.equal(told.long.length, 1)
  })

test('a thread that fails is told with its reason where the log is long, and tried again', async (test) => {
  const file = `${ownFolder(test)}/some.db`
  mkdirSync(file)
  writeFileSync(`${file}-wal`, '')
  const told = tellings(test)
  const checkpoints = new Checkpoints(file)
  test.after(() => checkpoints.close())
  truncateSync(`${file}-wal`, 200 * 1024 * 1024)
  checkpoints.wrote(50_000_000)
  const long = await until(() => told.long[0], { what: 'it to be told' })
  assert.match(
    long.message ?? '',
    /grown to 200 MiB, since copying it into the file fails \(unable to open database file\)/,
  )
  truncateSync(`${file}-wal`, 0)
  await until(() => told.short.length === 1, { what: 'another try' })
})

function tellings(test: TestContext) {
  const told = { long: [] as Events['store.log_long'][], short: [] as Events['store.log_short'][] }
  test.after(on('store.log_long', (detail) => void told.long.push(detail)))
  test.after(on('store.log_short', (detail) => void told.short.push(detail)))
  return told
}
