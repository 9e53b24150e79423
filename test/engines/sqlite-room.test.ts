import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { on } from '../../src/core/events.ts'
import { DiskRoom } from '../../src/engines/sqlite/disk-room.ts'
import { done, makeMessage, makeMessages, store, TestWorker } from '../../src/testing/engine-suite/setup.ts'
import { ownFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'
import { mountSmallDisk } from './small-disk.ts'
import { assertSound, openEngine, storeFile } from './store-file.ts'

const full = { name: 'StoreError', code: 'STORE_FULL' }

/** The folder of a store on a disk of so many megabytes; undefined where there can't be one. */
function onSmallDisk(test: TestContext, megabytes: number): string | undefined {
  const disk = mountSmallDisk(test, megabytes)
  return disk && join(disk.folder, '.macaron')
}

test('tasks that tasks fire take none of the room for deletions: their parent waits until there is more', async (test) => {
  const folder = onSmallDisk(test, 24)
  if (folder === undefined) return
  const engine = await openEngine(test, { folder, role: 'worker' })
  const told: string[] = []
  test.after(on('store.trouble', ({ message }) => told.push(message)))
  const small = makeMessage()
  await store(engine, ...makeMessages(20), small)
  const args = JSON.stringify('x'.repeat(100_000))
  const worker = await TestWorker.start(engine, { room: { ordinary: 21 } })
  await worker.lease(20)
  let settled = 0
  const [last, ...others] = worker.leases.toReversed()
  assert.ok(last)
  for (const lease of others)
    worker.settle(lease, done('null', makeMessages(10, { args }))).then(() => settled++)
  await until(() => told.length > 0, { what: 'word of the disk' })
  assert.match(told.join(), /for what tasks have ended with: \d+ KiB are free/)
  assert.ok(settled > 3 && settled < 20, `${settled} are settled`)
  // What is small goes on, and deleting makes room for the rest.
  assert.equal(await worker.settle(last, done()), 'settled')
  const stored = settled
  for (const { message } of await engine.list({ state: 'queued', limit: 200 }))
    await engine.remove(message.id)
  await until(() => settled > stored, { what: 'a parent to be settled' })
  await worker.consumption.stop()
  assertSound(folder)
})

test('a batch of text of three bytes a letter is refused where it could never be copied into the file', async (test) => {
  const folder = onSmallDisk(test, 64)
  if (folder === undefined) return
  const engine = await openEngine(test, { folder, role: 'server' })
  await store(engine, makeMessage())
  const batch = makeMessages(10, { args: JSON.stringify('漢'.repeat(1_000_000)) })
  await assert.rejects(engine.enqueue(batch), full)
  await store(engine, makeMessage())
  assert.equal((await engine.counts()).queued, 2)
})

test('who reads for long makes the log take the disk, not less; the refusal names it, and its end is enough', async (test) => {
  const folder = onSmallDisk(test, 32)
  if (folder === undefined) return
  const engine = await openEngine(test, { folder, role: 'server' })
  await store(engine, makeMessage())
  const reader = new DatabaseSync(storeFile(folder), { readOnly: true })
  test.after(() => reader.isOpen && reader.close())
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM tasks').get()
  let megabytes = 0
  const churn = async () => {
    for (; megabytes < 100; megabytes++) {
      const batch = makeMessages(10, { args: JSON.stringify('x'.repeat(100_000)) })
      await store(engine, ...batch)
      for (const { id } of batch) await engine.remove(id)
    }
  }
  await assert.rejects(churn(), {
    ...full,
    message: /The write-ahead log takes \d+ KiB, which come back when no other process \(a backup/,
  })
  assert.ok(megabytes > 5, `${megabytes} MB`)
  reader.close()
  // It is tried again a quarter of a second after the last time.
  await until(
    () =>
      churn().then(
        () => true,
        () => false,
      ),
    { what: 'as much again to be stored' },
  )
})

test('where the room can’t be told, whoever writes is not refused for it', (test) => {
  const room = new DiskRoom(join(ownFolder(test), 'tasks.db'), () => undefined)
  assert.equal(room.fits(Number.MAX_SAFE_INTEGER, 'task'), true)
})
