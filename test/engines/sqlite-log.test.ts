import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { type Events, on } from '../../src/core/events.ts'
import { Checkpoints } from '../../src/engines/sqlite/checkpoints.ts'
import { Log } from '../../src/engines/sqlite/log.ts'
import { longLog } from '../../src/engines/sqlite/log-length.ts'
import { makeMessages, TestWorker } from '../../src/testing/engine-suite/setup.ts'
import { ownFolder } from '../support/folder.ts'
import { startedProgram } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { openEngine, storeFile } from './store-file.ts'

/** A database with one who reads and one who writes, and how many checkpoints of it have begun. */
function setUp(t: TestContext) {
  const file = `${ownFolder(t)}/some.db`
  const [reading, writing] = [new DatabaseSync(file), new DatabaseSync(file)]
  writing.exec('PRAGMA journal_mode = WAL; CREATE TABLE things (thing TEXT)')
  const checkpoints = new Checkpoints(file)
  let threads = 0
  const count = () => void threads++
  process.on('worker', count)
  t.after(async () => {
    process.off('worker', count)
    await checkpoints.close()
    reading.close()
    writing.close()
  })
  return { file, reading, writing, checkpoints, begun: () => threads }
}

function pagesInLog(file: string): unknown {
  using database = new DatabaseSync(file)
  return database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()?.log
}

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
  const { file, writing, checkpoints } = setUp(t)
  // Nobody gets the lock that it needs.
  writing.exec('BEGIN IMMEDIATE')
  checkpoints.wrote(200_000_000)
  for (let times = 0; times < 2; times++) await checkpoints.room()
  assert.ok(checkpoints.room(), 'it has come to nothing so far')
  writing.exec(`INSERT INTO things VALUES (printf('%.*c', 500000, 'x')); COMMIT`)
  // Its size stays, also where the one under way has got the lock by now.
  assert.ok(statSync(`${file}-wal`).size > 400_000)
  await checkpoints.room()
  await checkpoints.room()
  assert.equal(checkpoints.room(), undefined)
  writing.exec(`INSERT INTO things VALUES ('y')`)
  assert.ok(Number(pagesInLog(file)) < 10, 'the log has begun anew')
})

test('a reader who stands near the end of the log holds up no writers: the log is left as it is until much more was written', async (t) => {
  const { file, reading, writing, checkpoints, begun } = setUp(t)
  reading.exec('BEGIN; SELECT count(*) FROM things')
  writing.exec(`INSERT INTO things VALUES ('x')`)
  checkpoints.wrote(200_000_000)
  await checkpoints.idle()
  assert.equal(checkpoints.room(), undefined)
  for (let commit = 0; commit < 100; commit++) checkpoints.wrote(1_000)
  await checkpoints.idle()
  assert.equal(begun(), 1)
  reading.exec('COMMIT')
  checkpoints.wrote(50_000_000)
  await checkpoints.idle()
  writing.exec(`INSERT INTO things VALUES ('y')`)
  assert.ok(Number(pagesInLog(file)) < 10, 'the log has begun anew')
})

test('after a checkpoint that was crowded out the next commits begin no other', async (t) => {
  const { writing, checkpoints, begun } = setUp(t)
  writing.exec('BEGIN IMMEDIATE')
  checkpoints.wrote(50_000_000)
  await checkpoints.idle()
  for (let commit = 0; commit < 100; commit++) checkpoints.wrote(1_000)
  await checkpoints.idle()
  assert.equal(begun(), 1)
})

test('what is told of a long log is why it is long, and nothing where it has begun anew', (t) => {
  const file = `${ownFolder(t)}/some.db`
  writeFileSync(`${file}-wal`, '')
  truncateSync(`${file}-wal`, 200_000_000)
  assert.equal(longLog(file, { ending: 'begun anew' }), undefined)
  assert.match(
    longLog(file, { ending: 'crowded out' })?.message ?? '',
    /191 MiB, since those who write leave no time/,
  )
  for (const end of [undefined, {}, { ending: 'hindered' as const }])
    assert.match(longLog(file, end)?.message ?? '', /another process has been reading it/)
  assert.match(longLog(file, { fault: new Error('no threads') })?.message ?? '', /fails \(no threads\)/)
})

test('one flush of a log is under way at a time, and who asks meanwhile shares the next', async (test) => {
  const file = `${ownFolder(test)}/some.db`
  writeFileSync(`${file}-wal`, 'frames')
  const log = new Log(file)
  for (let round = 0; round < 20; round++) {
    const first = log.flush()
    const [second, third] = [log.flush(), log.flush()]
    assert.notEqual(second, first)
    assert.equal(third, second)
    let isLast = false
    const after = second.then(() => {
      isLast = true
    })
    await first
    assert.equal(isLast, false)
    assert.equal(log.flush(), second)
    await after
  }
  log.close()
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
