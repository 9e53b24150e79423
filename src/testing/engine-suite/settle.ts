import assert from 'node:assert/strict'
import type { Lease, Outcome } from '../../engines/engine.ts'
import {
  done,
  eventually,
  failed,
  makeMessage,
  makeMessages,
  type Part,
  parked,
  type Stage,
  store,
  TestWorker,
} from './setup.ts'

interface Running {
  readonly worker: TestWorker
  readonly lease: Lease
}

/** One task, stored and taken. */
async function running({ engine }: Stage, atMostOnce = false): Promise<Running> {
  await store(engine, makeMessage({ atMostOnce }))
  const worker = await TestWorker.start(engine)
  return { worker, lease: await worker.lease() }
}

const crashed = (crashes: number): Outcome => ({ kind: 'crashed', crashes, error: { message: 'killed' } })

export const settle: Part = {
  'a done task keeps its result': async (stage) => {
    const { worker, lease } = await running(stage)
    assert.equal(await worker.settle(lease, done('{"sent":"ünï"}')), 'settled')
    const found = await stage.engine.find(lease.message.id)
    assert.equal(found?.state, 'done')
    assert.equal(found?.result, '{"sent":"ünï"}')
    assert.equal(found?.attempts, 1)
    assert.equal(found?.owner, undefined)
    assert.ok((found?.settledAt ?? 0) >= (found?.startedAt ?? Number.POSITIVE_INFINITY))
  },

  'a failed task keeps its error': async (stage) => {
    const { worker, lease } = await running(stage)
    const error = { code: 'E_MAIL', message: 'no server', stack: 'at sendEmail' }
    await worker.settle(lease, { kind: 'failed', error, expiresAt: Date.now() + 1000 })
    const found = await stage.engine.find(lease.message.id)
    assert.equal(found?.state, 'failed')
    assert.deepEqual(found?.error, error)
  },

  'a task to try again waits until then, and counts the attempt as failed': async (stage) => {
    const { worker, lease } = await running(stage)
    const runAt = Date.now() + 200
    await worker.settle(lease, { kind: 'retry', runAt, error: { message: 'busy' } })
    const waiting = await stage.engine.find(lease.message.id)
    assert.equal(waiting?.state, 'scheduled')
    assert.deepEqual(waiting?.error, { message: 'busy' })
    const again = await worker.lease(1)
    assert.ok(Date.now() >= runAt)
    assert.deepEqual([again.attempt, again.failures, again.crashes], [2, 1, 0])
  },

  'a parked task says why, and waits for an operator': async (stage) => {
    const { worker, lease } = await running(stage)
    await worker.settle(lease, parked('refused'))
    const found = await stage.engine.find(lease.message.id)
    assert.deepEqual([found?.state, found?.reason, found?.attempts], ['parked', 'refused', 0])
    assert.deepEqual(found?.error, { message: 'refused' })
  },

  'a crashed task comes back at once as a suspect, with its crashes counted and no failure': async (
    stage,
  ) => {
    const { worker, lease } = await running(stage)
    await worker.settle(lease, crashed(1))
    const again = await worker.lease(1)
    assert.deepEqual([again.suspect, again.crashes, again.failures], [true, 1, 0])
  },

  'a suspect that ends in any other way is none any more': async (stage) => {
    const { worker, lease } = await running(stage)
    await worker.settle(lease, crashed(0))
    const suspect = await worker.lease(1)
    await worker.settle(suspect, { kind: 'retry', runAt: Date.now(), error: { message: 'busy' } })
    assert.equal((await worker.lease(2)).suspect, false)
  },

  'a suspect that is returned stays one': async (stage) => {
    const { worker, lease } = await running(stage)
    await worker.settle(lease, crashed(2))
    await worker.settle(await worker.lease(1), { kind: 'returned' })
    const again = await worker.lease(2)
    assert.deepEqual([again.suspect, again.crashes], [true, 2])
  },

  'suspects take the room kept for them, and nothing else does': async ({ engine }) => {
    await store(engine, ...makeMessages(4))
    const worker = await TestWorker.start(engine, { room: { ordinary: 4, alone: 1 } })
    await worker.lease(3)
    await Promise.all(worker.leases.slice(0, 3).map((lease) => worker.settle(lease, crashed(0))))
    await store(engine, ...makeMessages(10))
    await worker.lease(7)
    assert.deepEqual(
      worker.leases.slice(4).map(({ suspect }) => suspect),
      [true, false, false, false],
    )
  },

  'a suspect that has died alone stands behind those that have not': async ({ engine }) => {
    const messages = makeMessages(10)
    const { length } = messages
    await store(engine, ...messages)
    const room = { alone: 0 }
    const worker = await TestWorker.start(engine, { room })
    await worker.lease(length - 1)
    for (const lease of [...worker.leases]) await worker.settle(lease, crashed(0))
    room.alone = 1
    worker.consumption.more()
    for (let at = 0; at < length; at++) await worker.settle(await worker.lease(length + at), crashed(1))
    for (let at = 0; at < length; at++) await worker.settle(await worker.lease(2 * length + at), done())
    const thrice = [...messages, ...messages, ...messages].map(({ id }) => id)
    assert.deepEqual(
      worker.leases.map(({ message }) => message.id),
      thrice,
    )
  },

  'a returned task costs nothing and keeps its place': async ({ engine }) => {
    const messages = makeMessages(2)
    await store(engine, ...messages)
    const worker = await TestWorker.start(engine, { room: { ordinary: 1 } })
    const lease = await worker.lease()
    await worker.settle(lease, { kind: 'returned' })
    const again = await worker.lease(1)
    assert.equal(again.message.id, messages[0]?.id)
    assert.deepEqual([again.attempt, again.failures, again.suspect], [1, 0, false])
    assert.notEqual(again.token, lease.token)
  },

  'a task that is returned to run alone is a suspect, and it cost nothing': async (stage) => {
    const { worker, lease } = await running(stage)
    await worker.settle(lease, { kind: 'returned', alone: true })
    const again = await worker.lease(1)
    assert.equal(again.message.id, lease.message.id)
    assert.deepEqual([again.attempt, again.failures, again.crashes, again.suspect], [1, 0, 0, true])
    assert.equal((await stage.engine.find(lease.message.id))?.attempts, 0)
  },

  'a done task stores its children with itself': async (stage) => {
    const { worker, lease } = await running(stage)
    const children = [makeMessage({ args: '[1]' }), makeMessage({ runAt: Date.now() + 3_600_000 })]
    await worker.settle(lease, done('null', children))
    assert.equal((await worker.lease(1)).message.id, children[0]?.id)
    assert.equal((await stage.engine.find(children[1]?.id ?? ''))?.state, 'scheduled')
  },

  'a done task whose child can’t be stored fails, stores none, and can be retried and cancelled then': async (
    stage,
  ) => {
    const { engine } = stage
    const { worker, lease } = await running(stage)
    const { id } = lease.message
    const children = [makeMessage({ priority: 1.5 })]
    assert.equal(await worker.settle(lease, done('null', children)), 'settled')
    const record = await engine.find(id)
    assert.deepEqual([record?.state, record?.error?.code], ['failed', 'CHILD_UNSTORABLE'])
    assert.equal(await engine.find(children[0]?.id ?? ''), undefined)
    await worker.consumption.pause()
    assert.deepEqual(await engine.retry(id), { done: true })
    assert.deepEqual(await engine.cancel(id), { done: true })
    assert.equal((await engine.find(id))?.state, 'cancelled')
  },

  'a lease settles once; the second time it is lost, with its children': async (stage) => {
    const { worker, lease } = await running(stage)
    const child = makeMessage()
    assert.equal(await worker.settle(lease, failed()), 'settled')
    assert.equal(await worker.settle(lease, done('null', [child])), 'lost')
    assert.equal((await stage.engine.find(lease.message.id))?.state, 'failed')
    assert.equal(await stage.engine.find(child.id), undefined)
  },

  'a lease that was given back is lost, though the task runs again elsewhere': async (stage) => {
    const { worker, lease } = await running(stage)
    await worker.consumption.stop()
    const other = await TestWorker.start(await stage.second())
    const theirs = await other.lease()
    assert.equal(await worker.consumption.settle(lease, done('"late"')), 'lost')
    assert.equal(await other.settle({ ...theirs, token: lease.token }, done('"stale"')), 'lost')
    assert.equal((await stage.engine.find(lease.message.id))?.state, 'running')
    assert.equal(await other.settle(theirs, done('"ours"')), 'settled')
    assert.equal((await stage.engine.find(lease.message.id))?.result, '"ours"')
  },

  'a token that never was one is lost': async (stage) => {
    const { worker, lease } = await running(stage)
    assert.equal(await worker.settle({ ...lease, token: 'made up' }, done()), 'lost')
    assert.equal((await stage.engine.find(lease.message.id))?.state, 'running')
  },

  'thousands of outcomes at once are all recorded': async ({ engine }) => {
    await store(engine, ...makeMessages(3000))
    const worker = await TestWorker.start(engine, { room: { ordinary: 3000 } })
    await worker.lease(2999)
    const answers = await Promise.all(worker.leases.map((lease) => worker.settle(lease, done())))
    assert.ok(answers.every((answer) => answer === 'settled'))
    await eventually('all tasks done', async () => (await engine.counts()).done === 3000)
  },
}
