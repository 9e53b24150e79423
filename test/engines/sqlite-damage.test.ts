import assert from 'node:assert/strict'
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { on } from '../../src/core/events.ts'
import { done, makeMessage, makeMessages, store, TestWorker } from '../../src/testing/engine-suite/setup.ts'
import { ownFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'
import { openEngine, rowsOf, storeFile } from './store-file.ts'

/** A store with damage in its middle, which only those meet that read there. */

const corrupt = { name: 'StoreError', code: 'STORE_CORRUPT', message: /Nothing was removed/ }

test('damage that a worker meets is told once, and known to all who use the store', async (t) => {
  const folder = await damagedStore(t)
  const server = await openEngine(t, { folder, role: 'server' })
  const told = troublesOf(t)
  await TestWorker.start(await openEngine(t, { folder }))
  await until(() => told.length > 0, { what: 'the worker to meet it' })
  await assert.rejects(server.enqueue(makeMessages(3)), corrupt)
  const later = await openEngine(t, { folder })
  await assert.rejects(later.enqueue(makeMessages(3)), corrupt)
  for (const engine of [server, later]) {
    const { ok, storing, reasons, waiting } = await engine.health()
    assert.deepEqual([ok, storing], [false, false])
    assert.match(reasons.join(), /tasks\.db is damaged.*\[STORE_CORRUPT\]/)
    assert.ok(waiting > 0)
  }
  const beat = () => rowsOf(folder, 'SELECT beat_at FROM machine')[0]?.beat_at
  const before = Number(beat())
  // Retries open the store anew, which is a sign of life too.
  await until(() => Number(beat()) > before + 6_000, { what: 'the worker to have written it' })
  assert.deepEqual(told, ['STORE_CORRUPT'])
})

test('what lies before the damage runs, and all that ended is recorded', async (t) => {
  const folder = await damagedStore(t)
  const told = troublesOf(t)
  const worker = await TestWorker.start(await openEngine(t, { folder }), { room: { ordinary: 30 } })
  const settled: Promise<string>[] = []
  await until(
    () => {
      while (worker.leases.length > settled.length)
        settled.push(worker.settle(worker.leases[settled.length] ?? assert.fail(), done()))
      // Eight of them fit on its page.
      return worker.leases.length >= damagedAt - 8 && told.length > 0
    },
    { what: 'what can be read to be handed out' },
  )
  assert.deepEqual(new Set(await Promise.all(settled)), new Set(['settled']))
  assert.ok(worker.leases.length <= damagedAt)
})

test('damage that an operator meets is known to a server, which has met none', async (t) => {
  const folder = await damagedStore(t)
  const server = await openEngine(t, { folder, role: 'server' })
  await store(server, makeMessage())
  await assert.rejects((await openEngine(t, { folder })).list({ limit: 1_000 }), corrupt)
  await assert.rejects(server.enqueue(makeMessages(1)), corrupt)
})

test('a store that is put in the place of a damaged one is used at once', async (t) => {
  const folder = await damagedStore(t)
  const server = await openEngine(t, { folder, role: 'server' })
  await assert.rejects(server.list({ limit: 1_000 }), corrupt)
  for (const end of ['', '-wal', '-shm'])
    if (existsSync(storeFile(folder) + end)) renameSync(storeFile(folder) + end, join(folder, `kept${end}`))
  await store(server, makeMessage())
  assert.equal((await server.health()).storing, true)
})

test('a backup that is copied over a damaged store is found whole, and told once', async (t) => {
  const folder = await damagedStore(t)
  const damaged = await openEngine(t, { folder })
  await assert.rejects(damaged.list({ limit: 1_000 }), corrupt)
  await damaged.close()
  const told = troublesOf(t)
  const server = await openEngine(t, { folder, role: 'server' })
  await TestWorker.start(await openEngine(t, { folder }), { room: { ordinary: 0 } })
  await until(() => told.length > 0, { what: 'the worker to tell what it knows' })
  copyFileSync(join(folder, 'backup'), storeFile(folder))
  for (const end of ['-wal', '-shm']) rmSync(storeFile(folder) + end, { force: true })
  await until(async () => (await server.health()).storing, { what: 'it to be found whole', everyMs: 50 })
  await store(server, makeMessage())
  await until(() => told.length > 1, { what: 'the worker to tell' })
  assert.deepEqual(told, ['STORE_CORRUPT', 'well'])
})

const damagedAt = 100

/** 300 tasks, the 100th of which lies on a page that was overwritten; and a backup from before that. */
async function damagedStore(t: TestContext): Promise<string> {
  const folder = ownFolder(t)
  const engine = await openEngine(t, { folder })
  const messages = makeMessages(300).map((message, index) => ({
    ...message,
    context: `${index === damagedAt ? marker : ''}${'x'.repeat(400)}`,
  }))
  await store(engine, ...messages)
  await engine.close()
  copyFileSync(storeFile(folder), join(folder, 'backup'))
  const content = readFileSync(storeFile(folder))
  const page = Math.floor(content.indexOf(marker) / pageSize) * pageSize
  writeFileSync(storeFile(folder), content.fill(0xff, page, page + pageSize), { flag: 'r+' })
  return folder
}

const marker = 'what can not be read'
const pageSize = 4_096

/** What is told of the store from here on: codes of its troubles, and when it is well. */
function troublesOf(t: TestContext): readonly string[] {
  const told: string[] = []
  t.after(on('store.trouble', ({ code }) => told.push(code)))
  t.after(on('store.well', () => told.push('well')))
  return told
}
