import assert from 'node:assert/strict'
import { taskStates } from '../../tasks/states.ts'
import { done, failed, makeMessage, makeMessages, type Part, store, TestWorker } from './setup.ts'

export const counts: Part = {
  'an empty store counts zero of every state': async ({ engine }) => {
    assert.deepEqual(await engine.counts(), Object.fromEntries(taskStates.map((state) => [state, 0])))
  },

  'every task is counted in the state it is in': async ({ engine, second }) => {
    const messages = makeMessages(6)
    await store(engine, ...messages, makeMessage({ runAt: Date.now() + 3_600_000 }))
    await engine.cancel(messages[5]?.id ?? '')
    const worker = await TestWorker.start(engine, { room: { ordinary: 4 } })
    const leases = [await worker.lease(0), await worker.lease(1), await worker.lease(2)] as const
    await worker.consumption.pause()
    await worker.settle(leases[0], done())
    await worker.settle(leases[1], failed())
    const error = { message: 'refused' }
    await worker.settle(leases[2], {
      kind: 'parked',
      reason: 'refused',
      error,
      expiresAt: Date.now() + 60_000,
    })
    const expected = { scheduled: 1, queued: 1, running: 1, done: 1, failed: 1, cancelled: 1, parked: 1 }
    assert.deepEqual(await engine.counts(), expected)
    assert.deepEqual(await (await second()).counts(), expected)
  },
}
