import assert from 'node:assert/strict'
import fs, {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { on } from '../../src/core/events.ts'
import { networkFileSystem } from '../../src/engines/sqlite/place.ts'
import { Store } from '../../src/engines/sqlite/store.ts'
import { done, makeMessage, makeMessages, store, TestWorker } from '../../src/testing/engine-suite/setup.ts'
import { ownFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'
import { assertSound, openEngine, rowsOf, storeFile, tamper } from './store-file.ts'

const corrupt = {
  name: 'StoreError',
  code: 'STORE_CORRUPT',
  message: /Nothing (was|in it was) (removed|changed)/,
}
const unwritable = { name: 'StoreError', code: 'STORE_UNWRITABLE' }

test('a new store and its folder are for their owner’s eyes only', async (test) => {
  const folder = join(ownFolder(test), '.macaron')
  const engine = await openEngine(test, { folder })
  await store(engine, makeMessage())
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  for (const file of ['tasks.db', 'tasks.db-wal', 'tasks.db-shm', 'wake'])
    assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file)
})

test('a file that is no database is refused and left as it is', async (test) => {
  const folder = ownFolder(test)
  const content = 'dear diary, '.repeat(1000)
  writeFileSync(storeFile(folder), content)
  await assert.rejects(openEngine(test, { folder }), corrupt)
  await assert.rejects(openEngine(test, { folder, role: 'server' }), corrupt)
  assert.equal(readFileSync(storeFile(folder), 'utf8'), content)
})

test('a database of something else is refused and left as it is', async (test) => {
  const folder = ownFolder(test)
  tamper(folder, 'CREATE TABLE invoices (number INTEGER)')
  const before = readFileSync(storeFile(folder))
  await assert.rejects(openEngine(test, { folder }), corrupt)
  tamper(folder, 'INSERT INTO invoices VALUES (1)')
  assert.equal(readFileSync(storeFile(folder)).length, before.length)
})

test('a store cut short is refused and left as it is', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder })
  await store(engine, ...makeMessages(500))
  await engine.close()
  truncateSync(storeFile(folder), 100_000)
  await assert.rejects(openEngine(test, { folder }), corrupt)
  assert.equal(statSync(storeFile(folder)).size, 100_000)
})

test('a store with a damaged page says so when it meets it', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder })
  await store(engine, ...makeMessages(500))
  await engine.close()
  const content = readFileSync(storeFile(folder))
  content.fill(0xff, 4096)
  writeFileSync(storeFile(folder), content)
  await assert.rejects(async () => {
    const damaged = await openEngine(test, { folder })
    await damaged.enqueue(makeMessages(10))
  }, corrupt)
})

test('a store from a newer version is refused and left as it is', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder })
  await store(engine, makeMessage())
  await engine.close()
  tamper(folder, 'PRAGMA user_version = 99')
  const refusal = { name: 'StoreError', code: 'STORE_TOO_NEW', message: /store version 99/ }
  await assert.rejects(openEngine(test, { folder }), refusal)
  tamper(folder, 'PRAGMA user_version = 1')
  assert.equal((await (await openEngine(test, { folder })).counts()).queued, 1)
})

test('a store of an early version, with a signature for each message, is brought up to date', async (test) => {
  const folder = ownFolder(test)
  const early = await openEngine(test, { folder })
  await store(early, ...makeMessages(3), makeMessage({ runAt: Date.now() + 60_000 }))
  const worker = await TestWorker.start(early, { room: { ordinary: 2 } })
  await worker.settle(await worker.lease(), done())
  await early.close()
  const columns = rowsOf(folder, "SELECT sql FROM sqlite_schema WHERE name = 'messages'")[0]?.sql
  const withSignature = String(columns).replace(') STRICT', ', mac TEXT NOT NULL) STRICT')
  tamper(
    folder,
    `ALTER TABLE messages RENAME TO now; ${withSignature}; INSERT INTO messages SELECT *, 'mac' FROM now;
     DROP TABLE now; PRAGMA user_version = 1`,
  )
  const engine = await openEngine(test, { folder })
  assertSound(folder)
  const { parked, done: kept } = await engine.counts()
  assert.deepEqual([parked, kept], [3, 1])
  const [task] = await engine.list({ state: 'parked' })
  assert.deepEqual([task?.reason, task?.error?.code], ['undecodable', 'UNDECODABLE'])
  const fresh = makeMessage()
  await store(engine, fresh)
  assert.equal((await engine.find(fresh.id))?.state, 'queued')
})

test('an empty file, as a killed process may leave it, becomes a store', async (test) => {
  const folder = ownFolder(test)
  writeFileSync(storeFile(folder), '')
  await store(await openEngine(test, { folder }), makeMessage())
  assertSound(folder)
})

test('a folder that can’t be made is refused by name', async (test) => {
  const blocked = join(ownFolder(test), 'file')
  writeFileSync(blocked, '')
  const folder = join(blocked, '.macaron')
  await assert.rejects(openEngine(test, { folder }), unwritable)
})

test('a folder where the file should be is refused', async (test) => {
  const folder = ownFolder(test)
  mkdirSync(storeFile(folder))
  await assert.rejects(openEngine(test, { folder }), unwritable)
})

test('a file without the right to write is refused, and opens once it has it', async (test) => {
  const folder = ownFolder(test)
  await (await openEngine(test, { folder })).close()
  chmodSync(folder, 0o755)
  chmodSync(storeFile(folder), 0o444)
  await asNobody(() => assert.rejects(openEngine(test, { folder }), unwritable))
  chmodSync(storeFile(folder), 0o600)
  await store(await openEngine(test, { folder }), makeMessage())
})

/** Root may write everywhere, so as root this does the work as a user who may not. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return work()
  process.seteuid?.(65_534)
  await work().finally(() => process.seteuid?.(0))
}

test('network file systems are known by their numbers', () => {
  assert.equal(networkFileSystem(0x6969), 'NFS')
  assert.equal(networkFileSystem(0xff534d42), 'CIFS')
  assert.equal(networkFileSystem(0xff534d42 | 0), 'CIFS')
  assert.equal(networkFileSystem(0xfe534d42), 'SMB2')
  assert.equal(networkFileSystem(0x01021997), '9p')
  for (const local of [0xef53, 0x01021994, 0x58465342, 0x9123683e, 0x794c7630, 0x65735546])
    assert.equal(networkFileSystem(local), undefined)
})

test('a folder on a network file system is refused', async (test) => {
  const folder = ownFolder(test)
  // None can be mounted here, so the system call tells of one.
  const { mock } = test.mock.method(fs, 'statfsSync', () => ({ type: 0x6969 }))
  syncBuiltinESMExports()
  test.after(() => {
    mock.restore()
    syncBuiltinESMExports()
  })
  const refusal = { name: 'StoreError', code: 'STORE_ON_NETWORK', message: /network file system \(NFS\)/ }
  await assert.rejects(openEngine(test, { folder }), refusal)
})

test('files that are replaced again and again are given up', (test) => {
  const folder = ownFolder(test)
  const store = new Store({ file: storeFile(folder), now: Date.now, checkpointPages: 1000 })
  test.after(() => store.close())
  const write = () => store.tryWrite(() => rmSync(storeFile(folder)), false)
  assert.throws(write, { name: 'StoreError', code: 'STORE_REPLACED' })
})

/** What can happen to the files of a store that is in use. */
const losses: Readonly<Record<string, (folder: string) => void>> = {
  'its files are deleted': (folder) => {
    for (const file of ['tasks.db', 'tasks.db-wal', 'tasks.db-shm'])
      rmSync(join(folder, file), { force: true })
  },
  'its folder is deleted': (folder) => rmSync(folder, { recursive: true }),
  'its folder is moved away': (folder) => renameSync(folder, `${folder}-moved`),
  'a copy takes its place': (folder) => {
    copyFileSync(storeFile(folder), join(folder, 'copy'))
    for (const file of ['tasks.db-wal', 'tasks.db-shm']) rmSync(join(folder, file), { force: true })
    renameSync(join(folder, 'copy'), storeFile(folder))
  },
}

for (const [loss, happen] of Object.entries(losses)) {
  for (const role of ['server', 'worker'] as const) {
    test(`when ${loss}, what is answered as stored is in the store that others see (${role})`, async (test) => {
      const folder = join(ownFolder(test), '.macaron')
      const engine = await openEngine(test, { folder, role, sync: 'full' })
      await store(engine, ...makeMessages(10))
      assert.equal((await engine.counts()).queued, 10)
      happen(folder)
      const message = makeMessage()
      await store(engine, message)
      const other = await openEngine(test, { folder })
      assert.equal((await other.find(message.id))?.state, 'queued')
      assert.equal((await engine.find(message.id))?.state, 'queued')
      await engine.close()
      assert.equal((await other.find(message.id))?.state, 'queued')
      await store(other, makeMessage())
      assertSound(folder)
    })
  }
}

test('a worker whose store is deleted finds the new one, tells, and is known there', async (test) => {
  const folder = join(ownFolder(test), '.macaron')
  const notices: string[] = []
  test.after(on('notice', ({ message }) => notices.push(message)))
  const worker = await TestWorker.start(await openEngine(test, { folder }))
  const server = await openEngine(test, { folder, role: 'server' })
  await store(server, makeMessage())
  const lost = await worker.lease()
  rmSync(folder, { recursive: true })
  await store(server, makeMessage())
  const lease = await worker.lease(1)
  assert.equal(await worker.settle(lost, done()), 'lost')
  assert.deepEqual(
    (await server.workers()).map(({ owner }) => owner),
    [worker.consumption.owner],
  )
  assert.equal(await worker.settle(lease, done()), 'settled')
  await until(() => notices.some((notice) => /deleted or replaced while in use/.test(notice)), {
    what: 'a notice',
  })
  assertSound(folder)
})
