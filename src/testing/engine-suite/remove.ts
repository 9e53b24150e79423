import assert from 'node:assert/strict'
import { done, makeMessage, makeMessages, type Part, store, TestWorker } from './setup.ts'

export const remove: Part = {
  'a removed task is gone, and never runs': async ({ engine }) => {
    const [gone, next] = makeMessages(2)
    assert.ok(gone && next)
    await store(engine, gone, next)
    assert.deepEqual(await engine.remove(gone.id), { done: true })
    assert.equal(await engine.find(gone.id), undefined)
    const worker = await TestWorker.start(engine)
    assert.equal((await worker.lease()).message.id, next.id)
    assert.deepEqual(await engine.remove(gone.id), { done: false, state: undefined })
  },

  'a running task can’t be removed, a settled one can': async ({ engine }) => {
    const message = makeMessage()
    await store(engine, message)
    const worker = await TestWorker.start(engine)
    const lease = await worker.lease()
    assert.deepEqual(await engine.remove(message.id), { done: false, state: 'running' })
    await worker.settle(lease, done())
    assert.deepEqual(await engine.remove(message.id), { done: true })
    assert.equal((await engine.counts()).done, 0)
  },

  'an id that was removed can be stored again': async ({ engine }) => {
    const message = makeMessage()
    await store(engine, message)
    await engine.remove(message.id)
    await store(engine, message)
    assert.equal((await engine.find(message.id))?.state, 'queued')
  },
}
