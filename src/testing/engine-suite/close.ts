import assert from 'node:assert/strict'
import { makeMessage, type Part, store, TestWorker } from './setup.ts'

export const close: Part = {
  'a closed engine refuses, its tasks stay, and closing again is harmless': async ({ engine, second }) => {
    const other = await second()
    const message = makeMessage()
    await store(engine, message)
    await engine.close()
    await engine.close()
    await assert.rejects(engine.enqueue([makeMessage()]))
    await assert.rejects(engine.find(message.id))
    assert.throws(() => engine.watch(message.id, () => undefined))
    assert.equal((await engine.health()).storing, false)
    assert.equal((await other.find(message.id))?.state, 'queued')
  },

  'closing ends a consumption and gives back what it held': async ({ engine, second }) => {
    const other = await second()
    await store(engine, makeMessage())
    const worker = await TestWorker.start(engine)
    await worker.lease()
    await engine.close()
    assert.equal((await other.counts()).queued, 1)
  },
}
