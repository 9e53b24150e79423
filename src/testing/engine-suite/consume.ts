import assert from 'node:assert/strict'
import type { Lease } from '../../engines/engine.ts'
import {
  done,
  eventually,
  makeMessage,
  makeMessages,
  type Part,
  type Stage,
  store,
  TestWorker,
} from './setup.ts'

const ids = (leases: readonly Lease[]) => leases.map(({ message }) => message.id)

export const consume: Part = {
  'a waiting task is handed out, as its first attempt': async ({ engine }) => {
    const message = makeMessage()
    await store(engine, message)
    const worker = await TestWorker.start(engine)
    const lease = await worker.lease()
    assert.deepEqual(lease.message, message)
    assert.deepEqual(
      { ...lease, message: undefined, token: undefined },
      { message: undefined, token: undefined, attempt: 1, failures: 0, crashes: 0, suspect: false },
    )
    const found = await engine.find(message.id)
    assert.equal(found?.state, 'running')
    assert.equal(found?.owner, worker.consumption.owner)
    assert.equal(typeof found?.startedAt, 'number')
  },

  'a task stored by another engine reaches a worker that waits': async ({ engine, second }) => {
    const worker = await TestWorker.start(engine)
    const message = makeMessage()
    await store(await second(), message)
    assert.equal((await worker.lease()).message.id, message.id)
  },

  'tasks come by priority, and by age within one': async ({ engine }) => {
    const late = makeMessage({ priority: 9 })
    const middle = makeMessages(3, { priority: 5 })
    const first = makeMessage({ priority: 0 })
    await store(engine, late, ...middle)
    await store(engine, first)
    const worker = await TestWorker.start(engine, { room: { ordinary: 1 } })
    for (let index = 0; index < 5; index++) await worker.settle(await worker.lease(index), done())
    assert.deepEqual(ids(worker.leases), [first.id, ...middle.map(({ id }) => id), late.id])
  },

  'no more is handed out than there is room for': async ({ engine }) => {
    await store(engine, ...makeMessages(20))
    const worker = await TestWorker.start(engine, { room: { ordinary: 7 } })
    await worker.lease(6)
    await worker.settle(await worker.lease(0), done())
    await worker.lease(7)
    assert.equal((await engine.counts()).running, 7)
    assert.equal(worker.leases.length, 8)
  },

  'a delayed task comes when it is due, not before': async ({ engine }) => {
    const message = makeMessage({ runAt: Date.now() + 300 })
    await store(engine, message)
    const worker = await TestWorker.start(engine)
    await worker.lease()
    const late = Date.now() - message.runAt
    assert.ok(late >= 0, `${-late} ms too early`)
  },

  'a task scheduled by another engine while a worker waits comes when it is due': async ({
    engine,
    second,
  }) => {
    const worker = await TestWorker.start(engine)
    const messages = [400, 100, 250].map((ms) => makeMessage({ runAt: Date.now() + ms }))
    await store(await second(), ...messages)
    await worker.lease(2)
    const byTime = messages.toSorted((a, b) => a.runAt - b.runAt)
    assert.deepEqual(
      ids(worker.leases),
      byTime.map(({ id }) => id),
    )
  },

  'of thousands of tasks two workers never get the same': (stage) => neverTheSame(stage, 4_000),

  'after a pause nothing more is handed out, and what is held can be settled': async ({ engine }) => {
    await store(engine, makeMessage())
    const worker = await TestWorker.start(engine)
    const lease = await worker.lease()
    await worker.consumption.pause()
    const next = makeMessage()
    await store(engine, next)
    assert.equal(await worker.settle(lease, done()), 'settled')
    assert.equal(worker.leases.length, 1)
    assert.equal((await engine.find(next.id))?.state, 'queued')
  },

  'a stop gives back what is held, as if it had not been taken': async ({ engine, second }) => {
    const messages = makeMessages(5)
    await store(engine, ...messages)
    const worker = await TestWorker.start(engine)
    await worker.lease(4)
    await worker.consumption.stop()
    await worker.consumption.stop()
    assert.equal((await engine.counts()).queued, 5)
    const other = await TestWorker.start(await second())
    await other.lease(4)
    assert.deepEqual(
      ids(other.leases),
      messages.map(({ id }) => id),
    )
    assert.ok(
      other.leases.every(({ attempt, failures, suspect }) => attempt === 1 && failures === 0 && !suspect),
    )
  },

  'a stop records what is pending': async ({ engine }) => {
    await store(engine, makeMessage())
    const worker = await TestWorker.start(engine)
    const settled = worker.settle(await worker.lease(), done())
    await worker.consumption.stop()
    assert.equal(await settled, 'settled')
    assert.equal((await engine.counts()).done, 1)
  },

  'a task that must not start twice and may have started is parked by a stop': async ({ engine }) => {
    const message = makeMessage({ atMostOnce: true })
    await store(engine, message)
    const worker = await TestWorker.start(engine)
    await worker.lease()
    await worker.consumption.stop()
    const found = await engine.find(message.id)
    assert.equal(found?.state, 'parked')
    assert.equal(found?.reason, 'lost')
  },

  'many tasks that must not start twice come in order with others': async ({ engine }) => {
    const messages = Array.from({ length: 300 }, (_, index) => makeMessage({ atMostOnce: index % 3 === 0 }))
    await store(engine, ...messages)
    const worker = await TestWorker.start(engine, {
      onLease: (lease, self) => void self.settle(lease, done()),
    })
    await eventually('all tasks done', async () => (await engine.counts()).done === 300)
    assert.equal(new Set(ids(worker.leases)).size, 300)
  },

  'an engine consumes once at a time': async ({ engine }) => {
    await TestWorker.start(engine)
    await assert.rejects(TestWorker.start(engine))
  },

  'an engine can consume again after a stop': async ({ engine }) => {
    const first = await TestWorker.start(engine)
    await first.consumption.stop()
    await store(engine, makeMessage())
    const again = await TestWorker.start(engine)
    await again.lease()
    assert.notEqual(again.consumption.owner, first.consumption.owner)
  },
}

/** Two workers settle so many tasks as soon as they get them: each is given to one of them, once. */
export async function neverTheSame({ engine, second }: Stage, count: number): Promise<void> {
  const other = await second()
  for (let stored = 0; stored < count; stored += 1000) await store(engine, ...makeMessages(1000))
  const settleAtOnce = (lease: Lease, worker: TestWorker) => void worker.settle(lease, done())
  const workers = [
    await TestWorker.start(engine, { onLease: settleAtOnce }),
    await TestWorker.start(other, { onLease: settleAtOnce }),
  ]
  await eventually('all tasks done', async () => (await engine.counts()).done === count, 45_000)
  const given = workers.flatMap(({ leases }) => ids(leases))
  assert.equal(given.length, count)
  assert.equal(new Set(given).size, count)
  assert.equal(new Set(workers.flatMap(({ leases }) => leases.map(({ token }) => token))).size, count)
}
