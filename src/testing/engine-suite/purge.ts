import assert from 'node:assert/strict'
import { done, eventually, failed, makeMessages, type Part, store, TestWorker } from './setup.ts'

export const purge: Part = {
  'without states, what may go by now goes': async ({ engine }) => {
    await store(engine, ...makeMessages(3))
    const worker = await TestWorker.start(engine)
    const kept = await worker.lease(0)
    await worker.settle(kept, failed('kept', Date.now() + 3_600_000))
    const passed = await worker.lease(1)
    await worker.consumption.pause()
    await worker.settle(passed, failed('passed', Date.now() + 1))
    await eventually('the other is gone', async () => {
      await engine.purge({})
      return (await engine.find(passed.message.id)) === undefined
    })
    assert.equal((await engine.find(kept.message.id))?.state, 'failed')
    assert.equal((await engine.counts()).running, 1)
  },

  'with states, all settled tasks in them go, whatever their number': async ({ engine }) => {
    const cancelled = makeMessages(600)
    await store(engine, ...cancelled)
    for (const { id } of cancelled) await engine.cancel(id)
    await store(engine, ...makeMessages(2))
    const worker = await TestWorker.start(engine)
    await worker.settle(await worker.lease(), done())
    assert.equal(await engine.purge({ states: ['cancelled', 'queued', 'running'] }), 600)
    const counts = await engine.counts()
    assert.deepEqual([counts.cancelled, counts.done, counts.running], [0, 1, 1])
  },
}
