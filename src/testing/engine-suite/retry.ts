import assert from 'node:assert/strict'
import { done, failed, makeMessage, type Part, store, TestWorker } from './setup.ts'

export const retry: Part = {
  'a failed task that is retried runs at once, with its counts at zero': async ({ engine }) => {
    await store(engine, makeMessage())
    const worker = await TestWorker.start(engine)
    await worker.settle(await worker.lease(), {
      kind: 'retry',
      runAt: Date.now(),
      error: { message: 'busy' },
    })
    const second = await worker.lease(1)
    await worker.settle(second, failed())
    assert.deepEqual(await engine.retry(second.message.id), { done: true })
    const again = await worker.lease(2)
    assert.deepEqual([again.attempt, again.failures, again.crashes], [1, 0, 0])
    const found = await engine.find(again.message.id)
    assert.equal(found?.error, undefined)
    assert.equal(found?.settledAt, undefined)
  },

  'a cancelled task can be retried, and a delay it had is over': async ({ engine }) => {
    const message = makeMessage({ runAt: Date.now() + 3_600_000 })
    await store(engine, message)
    await engine.cancel(message.id)
    assert.deepEqual(await engine.retry(message.id), { done: true })
    const worker = await TestWorker.start(engine)
    assert.equal((await worker.lease()).message.id, message.id)
  },

  'a parked task can be retried': async ({ engine }) => {
    await store(engine, makeMessage())
    const worker = await TestWorker.start(engine)
    const lease = await worker.lease()
    const error = { message: 'died alone' }
    await worker.settle(lease, { kind: 'parked', reason: 'poison', error, expiresAt: Date.now() + 60_000 })
    assert.equal((await engine.find(lease.message.id))?.crashes, 1)
    await engine.retry(lease.message.id)
    const again = await worker.lease(1)
    assert.deepEqual([again.crashes, again.suspect], [0, false])
    assert.equal((await engine.find(again.message.id))?.reason, undefined)
  },

  'queued, running and done tasks and none at all can’t be retried': async ({ engine }) => {
    const message = makeMessage()
    await store(engine, message)
    assert.deepEqual(await engine.retry(message.id), { done: false, state: 'queued' })
    const worker = await TestWorker.start(engine)
    const lease = await worker.lease()
    assert.deepEqual(await engine.retry(message.id), { done: false, state: 'running' })
    await worker.settle(lease, done())
    assert.deepEqual(await engine.retry(message.id), { done: false, state: 'done' })
    assert.deepEqual(await engine.retry(makeMessage().id), { done: false, state: undefined })
  },
}
