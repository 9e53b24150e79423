import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { on } from '../../src/core/events.ts'
import { done, makeMessage, makeMessages, store, TestWorker } from '../../src/testing/engine-suite/setup.ts'
import { ownFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'
import { mountSmallDisk } from './small-disk.ts'
import { assertSound, openEngine, storeFile } from './store-file.ts'

const full = { name: 'StoreError', code: 'STORE_FULL' }
const unwritable = { name: 'StoreError', code: 'STORE_UNWRITABLE' }
const large = () => makeMessage({ args: JSON.stringify(['x'.repeat(100_000)]) })

for (const role of ['server', 'worker'] as const) {
  test(`a full disk refuses tasks, and takes them again once there is space (${role})`, async (test: TestContext) => {
    const disk = mountSmallDisk(test, 8)
    if (disk === undefined) return
    const folder = join(disk.folder, '.macaron')
    const engine = await openEngine(test, { folder, role, sync: 'full' })
    const before = makeMessages(10)
    await store(engine, ...before)
    disk.fill()
    const refused = large()
    await assert.rejects(engine.enqueue([refused]), { ...full, message: /No space left on the disk/ })
    const sick = await engine.health()
    assert.equal(sick.storing, false)
    assert.match(sick.reasons.join(), /No space left/)
    assert.equal(await engine.find(refused.id), undefined)
    assert.equal((await engine.counts()).queued, 10)
    disk.free()
    await store(engine, refused)
    const well = await engine.health()
    assert.equal(well.storing, true)
    assert.equal((await engine.counts()).queued, 11)
    assertSound(folder)
  })

  test(`a disk turned read-only refuses tasks, and takes them again once it is writable (${role})`, async (test) => {
    const disk = mountSmallDisk(test, 8)
    if (disk === undefined) return
    const folder = join(disk.folder, '.macaron')
    const first = await openEngine(test, { folder, role, sync: 'full' })
    await store(first, makeMessage())
    await first.close()
    disk.remount('ro')
    await assert.rejects(openEngine(test, { folder, role }), unwritable)
    disk.remount('rw')
    const engine = await openEngine(test, { folder, role, sync: 'full' })
    await store(engine, makeMessage())
    assert.equal((await engine.counts()).queued, 2)
  })
}

test('a store whose disk begins to refuse writes says so, and goes on by itself when that is over', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder, role: 'server', sync: 'full' })
  await store(engine, makeMessage())
  const log = `${storeFile(folder)}-wal`
  const setFlag = (flag: '+i' | '-i') => execFileSync('chattr', [flag, log], { stdio: 'pipe' })
  try {
    setFlag('+i')
  } catch {
    return test.skip('this user may not make files immutable here')
  }
  const refused = makeMessage()
  try {
    await assert.rejects(engine.enqueue([refused]), { name: 'StoreError', code: /STORE_(FAILED|UNWRITABLE)/ })
    assert.equal((await engine.health()).storing, false)
  } finally {
    setFlag('-i')
  }
  await store(engine, refused)
  assert.equal((await engine.counts()).queued, 2)
})

test('a store that fills its disk refuses what does not fit, and what it answered as stored is there', async (test) => {
  const disk = mountSmallDisk(test, 4)
  if (disk === undefined) return
  const folder = join(disk.folder, '.macaron')
  const engine = await openEngine(test, { folder, role: 'server', sync: 'full' })
  const stored: string[] = []
  const fill = async () => {
    for (;;) {
      const message = large()
      await engine.enqueue([message])
      stored.push(message.id)
    }
  }
  await assert.rejects(fill(), full)
  assert.ok(stored.length > 5)
  for (const id of stored) assert.equal((await engine.find(id))?.state, 'queued')
  assert.equal((await engine.counts()).queued, stored.length)
})

test('a store that has filled its disk by itself runs and deletes what is there, and by that has room for as much again', async (test) => {
  const disk = mountSmallDisk(test, 16)
  if (disk === undefined) return
  const folder = join(disk.folder, '.macaron')
  const server = await openEngine(test, { folder, role: 'server' })
  const args = JSON.stringify(['x'.repeat(3000)])
  let stored = 0
  const fill = async () => {
    for (; ; stored += 50) await store(server, ...makeMessages(50, { args }))
  }
  const room = { ordinary: 0 }
  const worker = await TestWorker.start(await openEngine(test, { folder, role: 'worker' }), {
    room,
    onLease: (lease, self) =>
      void self.settle(lease, { kind: 'done', result: 'null', children: [], expiresAt: Date.now() }),
  })
  for (const least of [2_000, 4_000]) {
    room.ordinary = 0
    await assert.rejects(fill(), {
      ...full,
      message: /for further tasks: \d+ KiB are free, \d+ KiB may be needed, and \d+ KiB are kept/,
    })
    assert.ok(stored > least, `${stored} tasks`)
    assert.equal((await server.health()).storing, false)
    room.ordinary = 100
    worker.consumption.more()
    await until(async () => Object.values(await server.counts()).every((count) => count === 0), {
      what: 'all to be run and deleted',
    })
    assert.equal(worker.leases.length, stored)
  }
  await store(server, makeMessage())
  const well = await server.health()
  assert.equal(well.storing, true)
  // Its file has as much room as the disk.
  assert.doesNotMatch(well.reasons.join(), /on the disk/)
  assertSound(folder)
})

test('a disk that gets short is told of while tasks are still stored', async (test) => {
  const disk = mountSmallDisk(test, 16)
  if (disk === undefined) return
  const engine = await openEngine(test, { folder: join(disk.folder, '.macaron'), role: 'server' })
  const args = JSON.stringify(['x'.repeat(300)])
  const told = async () => {
    await store(engine, ...makeMessages(50, { args }))
    const seen = await engine.health()
    return seen.reasons.join().includes('on the disk') ? seen : undefined
  }
  const health = await until(told, { what: 'word of the disk', everyMs: 0 })
  assert.equal(health.storing, true)
  assert.match(health.reasons.join(), /Only \d+ KiB are free on the disk of .*: below \d+ KiB/)
  await store(engine, makeMessage())
})

test('a store can’t be made on a full disk, and is once there is space', async (test) => {
  const disk = mountSmallDisk(test, 2)
  if (disk === undefined) return
  const folder = join(disk.folder, '.macaron')
  disk.fill()
  await assert.rejects(openEngine(test, { folder }), full)
  disk.free()
  const engine = await openEngine(test, { folder })
  await store(engine, makeMessage())
})

test('outcomes that the disk has no space for are kept and recorded once it has; claims wait', async (test) => {
  const disk = mountSmallDisk(test, 8)
  if (disk === undefined) return
  const folder = join(disk.folder, '.macaron')
  const engine = await openEngine(test, { folder })
  const events: string[] = []
  test.after(on('store.trouble', ({ code }) => events.push(code)))
  test.after(on('store.well', () => events.push('well')))
  await store(engine, ...makeMessages(3))
  const worker = await TestWorker.start(engine, { room: { ordinary: 2 } })
  const [first, second] = [await worker.lease(0), await worker.lease(1)]
  disk.fill()
  const settled = [
    worker.settle(first, done(JSON.stringify('x'.repeat(200_000)))),
    worker.settle(second, done(JSON.stringify('y'.repeat(200_000)), [makeMessage()])),
  ]
  await until(() => events.includes('STORE_FULL'), { what: 'word of the trouble' })
  assert.equal(worker.leases.length, 2)
  disk.free()
  assert.deepEqual(await Promise.all(settled), ['settled', 'settled'])
  await worker.lease(3)
  await until(() => events.includes('well'), { what: 'word of its end' })
  assert.deepEqual(events, ['STORE_FULL', 'well'])
  assertSound(folder)
})

test('a stop does not wait for ever for a disk that stays full; the tasks run again later', async (test) => {
  const disk = mountSmallDisk(test, 8)
  if (disk === undefined) return
  const folder = join(disk.folder, '.macaron')
  const engine = await openEngine(test, { folder })
  await store(engine, ...makeMessages(2))
  const worker = await TestWorker.start(engine)
  const lease = await worker.lease(1)
  disk.fill()
  const settled = worker.settle(lease, done(JSON.stringify('x'.repeat(200_000))))
  const started = performance.now()
  await worker.consumption.stop()
  assert.ok(performance.now() - started < 8_000)
  assert.equal(await settled, 'lost')
  disk.free()
  const next = await TestWorker.start(await openEngine(test, { folder }))
  await next.lease(1)
})
