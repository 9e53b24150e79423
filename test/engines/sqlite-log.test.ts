import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { Log } from '../../src/engines/sqlite/log.ts'
import { makeMessages } from '../../src/testing/engine-suite/setup.ts'
import { ownFolder } from '../support/folder.ts'
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
