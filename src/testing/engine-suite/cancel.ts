import assert from 'node:assert/strict'
import { done, eventually, makeMessage, makeMessages, type Part, store, TestWorker } from './setup.ts'

export const cancel: Part = {
  'a queued task and a scheduled one can be cancelled, and don’t run': async ({ engine }) => {
    const [queued, scheduled] = [makeMessage(), makeMessage({ runAt: Date.now() + 100 })]
    await store(engine, queued, scheduled)
    assert.deepEqual(await engine.cancel(queued.id), { done: true })
    assert.deepEqual(await engine.cancel(scheduled.id), { done: true })
    const last = makeMessage({ runAt: Date.now() + 200 })
    await store(engine, last)
    const worker = await TestWorker.start(engine)
    assert.equal((await worker.lease()).message.id, last.id)
    assert.equal((await engine.find(queued.id))?.state, 'cancelled')
    assert.equal(typeof (await engine.find(queued.id))?.settledAt, 'number')
  },

  'a running task, a settled one and none at all can’t be cancelled': async ({ engine }) => {
    await store(engine, ...makeMessages(2))
    const worker = await TestWorker.start(engine)
    const [first, second] = [await worker.lease(0), await worker.lease(1)]
    await worker.settle(second, done())
    assert.deepEqual(await engine.cancel(first.message.id), { done: false, state: 'running' })
    assert.deepEqual(await engine.cancel(second.message.id), { done: false, state: 'done' })
    assert.deepEqual(await engine.cancel(makeMessage().id), { done: false, state: undefined })
  },

  'of 500 tasks cancelled while two workers take them, each is either cancelled or run': async ({
    engine,
    second,
  }) => {
    const messages = makeMessages(500)
    await store(engine, ...messages)
    const other = await second()
    const workers = await Promise.all(
      [engine, other].map((at) =>
        TestWorker.start(at, {
          room: { ordinary: 20 },
          onLease: (lease, worker) => void worker.settle(lease, done()),
        }),
      ),
    )
    const answers = await Promise.all(
      messages.map(({ id }, index) => (index % 2 ? engine : other).cancel(id)),
    )
    const cancelled = answers.filter((answer) => answer.done).length
    await eventually('all tasks settled', async () => {
      const counts = await engine.counts()
      return counts.done + counts.cancelled === 500
    })
    assert.equal((await engine.counts()).cancelled, cancelled)
    assert.equal(workers.flatMap(({ leases }) => leases).length, 500 - cancelled)
  },
}
