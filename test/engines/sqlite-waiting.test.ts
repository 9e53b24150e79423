import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Engine } from '../../src/engines/engine.ts'
import { done, makeMessage, makeMessages, store, TestWorker } from '../../src/testing/engine-suite/setup.ts'
import { ownFolder } from '../support/folder.ts'
import { startProgram } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { openEngine, storeFile } from './store-file.ts'

/** Another process' long transaction. */
function holdWriteLock(test: TestContext, folder: string): () => void {
  const database = new DatabaseSync(storeFile(folder))
  database.exec('BEGIN IMMEDIATE')
  let isHeld = true
  const release = () => {
    if (isHeld) database.close()
    isHeld = false
  }
  test.after(release)
  return release
}

/** The longest time that the loop did nothing else, until the returned function is called. */
function watchLoop(): () => number {
  let last = performance.now()
  let longest = 0
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 1)
  return () => {
    clearInterval(timer)
    return Math.max(longest, performance.now() - last)
  }
}

/** Stores while another process holds the lock; answers the longest stop of the loop. */
async function storeAgainstLock(test: TestContext, engine: Engine, folder: string): Promise<number> {
  await store(engine, makeMessage())
  const release = holdWriteLock(test, folder)
  const longestStop = watchLoop()
  const stored = store(engine, makeMessage())
  const started = performance.now()
  await until(() => performance.now() - started > 400, { what: 'a while' })
  release()
  await stored
  return longestStop()
}

test('what is asked for one after another while another process writes is stored in that order', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder, role: 'server' })
  await store(engine, makeMessage())
  const release = holdWriteLock(test, folder)
  const messages = makeMessages(16)
  const stored: Promise<void>[] = []
  for (const message of messages) {
    stored.push(store(engine, message))
    if (stored.length === 8) release()
    await nextTurn()
  }
  await Promise.all(stored)
  using database = new DatabaseSync(storeFile(folder))
  const rows = database.prepare('SELECT id FROM messages ORDER BY seq').all()
  assert.deepEqual(
    rows.slice(1).map(({ id }) => id),
    messages.map(({ id }) => id),
  )
})

for (const role of ['server', 'worker'] as const)
  test(`while another process writes, the loop of a ${role} goes on, and what was asked for is stored after`, async (test) => {
    const folder = ownFolder(test)
    const engine = await openEngine(test, { folder, role })
    const longest = await storeAgainstLock(test, engine, folder)
    assert.ok(longest < 350, `the loop stood still for ${longest} ms`)
    assert.equal((await engine.counts()).queued, 2)
  })

test('a lock that is held for more than five seconds is an error, for everyone who waits', async (test) => {
  const folder = ownFolder(test)
  const engines = [
    await openEngine(test, { folder, role: 'server' }),
    await openEngine(test, { folder, role: 'worker' }),
  ]
  await Promise.all(engines.map((engine) => store(engine, makeMessage())))
  const release = holdWriteLock(test, folder)
  const refused = { name: 'StoreError', code: 'STORE_BUSY' }
  await Promise.all(engines.map((engine) => assert.rejects(engine.enqueue([makeMessage()]), refused)))
  release()
  await Promise.all(engines.map((engine) => store(engine, makeMessage())))
  assert.equal((await engines[0]?.counts())?.queued, 4)
})

test('outcomes wait for a lock without being lost', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder })
  await store(engine, makeMessage())
  const worker = await TestWorker.start(engine)
  const lease = await worker.lease()
  const release = holdWriteLock(test, folder)
  let answer: string | undefined
  void worker.settle(lease, done()).then((settled) => {
    answer = settled
  })
  const started = performance.now()
  await until(() => performance.now() - started > 300, { what: 'a while' })
  assert.equal(answer, undefined)
  release()
  await until(() => answer === 'settled', { what: 'the answer' })
})

test('a process that stores all the time does not keep a worker from its tasks, nor the other way round', async (test) => {
  const folder = ownFolder(test)
  const [server, engine] = [
    await openEngine(test, { folder, role: 'server' }),
    await openEngine(test, { folder }),
  ] as const
  for (let at = 0; at < 10; at++) await store(engine, ...makeMessages(1000))
  let longest = 0
  const worker = await TestWorker.start(engine, { onLease: (lease, self) => void self.settle(lease, done()) })
  for (let batch = 0; batch < 100; batch++) {
    const started = performance.now()
    await store(server, ...makeMessages(100))
    longest = Math.max(longest, performance.now() - started)
  }
  await until(() => worker.leases.length === 20_000, { what: 'all tasks taken', timeoutMs: 30_000 })
  assert.ok(longest < 4_000, `one batch waited for ${longest} ms`)
})

test('a worker that hears no ring finds tasks all the same', async (test) => {
  const folder = ownFolder(test)
  const server = await openEngine(test, { folder, role: 'server' })
  await store(server, makeMessage())
  const worker = await TestWorker.start(await openEngine(test, { folder }))
  await worker.lease()
  // The server goes on ringing a bell that nobody can hear.
  rmSync(join(folder, 'wake'))
  for (let index = 1; index < 5; index++) {
    const started = performance.now()
    await store(server, makeMessage())
    await worker.lease(index)
    assert.ok(performance.now() - started < 1_000)
  }
})

test('a clock that jumps ahead makes tasks due within about a second', async (test) => {
  const folder = ownFolder(test)
  let ahead = 0
  const engine = await openEngine(test, { folder, now: () => Date.now() + ahead })
  const worker = await TestWorker.start(engine)
  await store(engine, makeMessage({ runAt: Date.now() + 3_600_000 }))
  await until(async () => (await engine.counts()).scheduled === 1, { what: 'the schedule' })
  ahead = 3_600_000
  const started = performance.now()
  await worker.lease()
  assert.ok(performance.now() - started < 2_500)
})

test('a program that stores and forgets to close ends by itself, with its tasks stored', async (test) => {
  const folder = ownFolder(test)
  const program = startProgram(test, new URL('./fixtures/forget.ts', import.meta.url), { args: [folder] })
  const [code] = await once(program, 'exit')
  assert.equal(code, 0)
  assert.equal((await (await openEngine(test, { folder })).counts()).queued, 3)
})
