import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { Lease } from '../../engines/engine.ts'
import type { TaskMessage } from '../../tasks/message.ts'
import {
  done,
  eventually,
  makeMessage,
  makeMessages,
  type Part,
  parked,
  type Stage,
  store,
  TestWorker,
} from './setup.ts'

/** Has one worker park all of them, and another run them. Gives their ids in the order in which it got them. */
async function wentOn(
  { engine, second }: Stage,
  messages: readonly TaskMessage[],
): Promise<readonly string[]> {
  await store(engine, ...messages)
  const old = await TestWorker.start(engine)
  await old.lease(messages.length - 1)
  for (const lease of old.leases) await old.settle(lease, parked('unknown_task'))
  await old.consumption.stop()
  const worker = await TestWorker.start(await second(), { names: ['new'] })
  await worker.lease(messages.length - 1)
  for (const lease of worker.leases) await worker.settle(lease, done())
  await worker.consumption.stop()
  return worker.leases.map(({ message }) => message.id)
}

/** Tasks that one worker has parked and another can run. */
export const goOn: Part = {
  'a parked task of an unknown name goes on when a worker knows it': async ({ engine, second }) => {
    const [known, unknown] = [makeMessage({ name: 'known' }), makeMessage({ name: 'unknown' })]
    await store(engine, known, unknown)
    const old = await TestWorker.start(engine)
    await old.lease(1)
    await Promise.all(old.leases.map((lease) => old.settle(lease, parked('unknown_task'))))
    await old.consumption.stop()
    assert.equal((await engine.counts()).parked, 2)
    const worker = await TestWorker.start(await second(), { names: ['known'] })
    assert.equal((await worker.lease()).message.id, known.id)
    assert.equal((await engine.find(unknown.id))?.state, 'parked')
  },

  'a worker that learns a name puts its parked tasks back by itself': async ({ engine }) => {
    const names: string[] = []
    const message = makeMessage({ name: 'new' })
    await store(engine, message)
    const worker = await TestWorker.start(engine, { names })
    await worker.settle(await worker.lease(), parked('unknown_task'))
    names.push('new')
    assert.equal((await worker.lease(1)).message.id, message.id)
  },

  'a parked task of an unknown key goes on when a worker has it, and knows its name': async ({
    engine,
    second,
  }) => {
    const sealed = (key: string, name: string) => makeMessage({ name, context: `v2.${key}.salt.0.text.tag` })
    const [first, other, nameless] = [
      sealed('first', 'known'),
      sealed('other', 'known'),
      sealed('first', 'new'),
    ]
    await store(engine, first, other, nameless)
    const old = await TestWorker.start(engine, { names: ['known', 'new'], keys: ['old'] })
    await old.lease(2)
    await Promise.all(old.leases.map((lease) => old.settle(lease, parked('unknown_key'))))
    await old.consumption.stop()
    assert.equal((await engine.counts()).parked, 3)
    const keys = ['first']
    const worker = await TestWorker.start(await second(), { names: ['known'], keys })
    assert.equal((await worker.lease()).message.id, first.id)
    keys.push('other')
    assert.equal((await worker.lease(1)).message.id, other.id)
    assert.equal((await engine.find(nameless.id))?.state, 'parked')
  },

  'a task that older workers take and park again comes back within seconds each time': async ({ engine }) => {
    await store(engine, makeMessage({ name: 'new' }))
    const worker = await TestWorker.start(engine, { names: ['new'] })
    const began = performance.now()
    for (const at of [0, 1, 2]) await worker.settle(await worker.lease(at), parked('unknown_task'))
    await worker.lease(3)
    const seconds = (performance.now() - began) / 1_000
    assert.ok(seconds < 12, `parked three times it came back after ${seconds} s`)
  },

  'an idle older worker takes a task of an unknown name about once, though the one that knows it is full':
    async ({ engine, second }) => {
      const tasks = 60
      const park = (lease: Lease, worker: TestWorker) => void worker.settle(lease, parked('unknown_task'))
      const old = await TestWorker.start(engine, { onLease: park })
      const young = await TestWorker.start(await second(), { names: ['new'], room: { ordinary: 4 } })
      await store(engine, ...makeMessages(tasks, { name: 'new' }))
      for (let ended = 0; ended < tasks; ended++) await young.settle(await young.lease(ended), done())
      assert.ok(old.leases.length < 2 * tasks, `it took ${tasks} tasks ${old.leases.length} times`)
    },

  'parked tasks that go on come in their order': async (stage) => {
    const named = (priority: number) => makeMessage({ name: 'new', priority })
    // The first time of all a store may have to be told how that is done.
    await wentOn(stage, [named(0), named(1)])
    const [late, first, later, next] = [named(5), named(0), named(5), named(0)]
    const ids = [first, next, late, later].map(({ id }) => id)
    assert.deepEqual(await wentOn(stage, [late, first, later, next]), ids)
  },

  'a parked task that can go on does not wait until nothing else does': async ({ engine, second }) => {
    const message = makeMessage({ name: 'new' })
    await store(engine, message)
    const old = await TestWorker.start(engine)
    await old.settle(await old.lease(), parked('unknown_task'))
    await old.consumption.stop()
    const backlog = 2_000
    await store(engine, ...makeMessages(backlog, { name: 'busy' }))
    const names = ['busy']
    const work = (lease: Lease, worker: TestWorker) => void delay(5).then(() => worker.settle(lease, done()))
    const worker = await TestWorker.start(await second(), { names, room: { ordinary: 2 }, onLease: work })
    await worker.lease(20)
    names.push('new')
    await eventually('it to go on', () => worker.leases.some((lease) => lease.message.id === message.id))
    assert.ok(worker.leases.length < backlog, `after ${worker.leases.length} others`)
  },
}
