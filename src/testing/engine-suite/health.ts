import assert from 'node:assert/strict'
import { makeMessage, makeMessages, type Part, store, TestWorker } from './setup.ts'

export const health: Part = {
  'an empty store is well': async ({ engine }) => {
    assert.deepEqual(await engine.health(), {
      ok: true,
      storing: true,
      reasons: [],
      warnings: [],
      waiting: 0,
      running: 0,
      parked: 0,
      oldestWaitMs: 0,
      workers: 0,
    })
  },

  'tasks that wait without a worker are said to wait': async ({ engine }) => {
    await store(engine, makeMessage({ firedAt: Date.now() - 5_000 }), makeMessage())
    const health = await engine.health()
    assert.deepEqual([health.ok, health.storing, health.waiting, health.workers], [false, true, 2, 0])
    assert.equal(health.reasons.length, 1)
    assert.ok(health.oldestWaitMs >= 5_000)
  },

  'tasks that wait for long although a worker lives are said to': async ({ engine }) => {
    await TestWorker.start(engine, { room: { ordinary: 0 } })
    await store(engine, makeMessage({ firedAt: Date.now() - 31_000 }))
    const health = await engine.health()
    assert.deepEqual([health.ok, health.workers, health.reasons.length], [false, 1, 1])
  },

  'workers are listed while they live, with what they run': async ({ engine, second }) => {
    const other = await second()
    await store(engine, ...makeMessages(3))
    const worker = await TestWorker.start(engine)
    await worker.lease(2)
    const [listed] = await other.workers()
    assert.equal(listed?.owner, worker.consumption.owner)
    assert.deepEqual([listed?.pid, listed?.running], [process.pid, 3])
    assert.deepEqual((await other.health()).running, 3)
    await worker.consumption.stop()
    assert.deepEqual(await other.workers(), [])
  },
}
