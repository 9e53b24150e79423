import assert from 'node:assert/strict'
import type { Engine, TaskStanding } from '../../engines/engine.ts'
import { done, eventually, makeMessage, makeMessages, type Part, store, TestWorker } from './setup.ts'

/** How much processor time looks at 40 watched tasks take, whose arguments are so long, in ms. */
async function costOfLooks(engine: Engine, length: number): Promise<number> {
  const watched = makeMessages(40).map((message) => ({
    ...message,
    args: JSON.stringify(['x'.repeat(length)]),
  }))
  for (const message of watched) await store(engine, message)
  const told = new Set<string>()
  const changes = makeMessages(20)
  const ends = [...watched, ...changes].map(({ id }) => engine.watch(id, (task) => task && told.add(id)))
  await eventually('all that are there', () => told.size === watched.length)
  const before = process.cpuUsage()
  for (const message of changes) {
    await store(engine, message)
    await eventually('a change', () => told.has(message.id))
  }
  const { user, system } = process.cpuUsage(before)
  for (const end of ends) end()
  return (user + system) / 1_000
}

export const watch: Part = {
  'a watcher is told how the task stands, and each change made elsewhere': async ({ engine, second }) => {
    const message = makeMessage()
    await store(engine, message)
    const seen: (string | undefined)[] = []
    const end = (await second()).watch(message.id, (task) => seen.push(task?.state))
    await eventually('the present state', () => seen.includes('queued'))
    const worker = await TestWorker.start(engine)
    await eventually('the start', () => seen.includes('running'))
    await worker.settle(await worker.lease(), done())
    await eventually('the end', () => seen.includes('done'))
    end()
    assert.deepEqual(seen, ['queued', 'running', 'done'])
  },

  'a watcher of its own engine’s changes is told too': async ({ engine }) => {
    const message = makeMessage()
    const seen: (string | undefined)[] = []
    const end = engine.watch(message.id, (task) => seen.push(task?.state))
    await eventually('that there is none', () => seen.length === 1)
    await store(engine, message)
    await eventually('that it is there', () => seen.includes('queued'))
    await engine.remove(message.id)
    await eventually('that it is gone', () => seen.length === 3)
    end()
    assert.deepEqual(seen, [undefined, 'queued', undefined])
  },

  'a watcher is told how a task ended, and nothing of what it was fired with': async ({ engine }) => {
    const message = makeMessage()
    await store(engine, message)
    const seen: (TaskStanding | undefined)[] = []
    const end = engine.watch(message.id, (task) => seen.push(task))
    const worker = await TestWorker.start(engine)
    await worker.settle(await worker.lease(), done('"well"'))
    await eventually('the end', () => seen.at(-1)?.state === 'done')
    end()
    assert.equal(seen.at(-1)?.result, '"well"')
    assert.deepEqual(seen.at(-1)?.message, { id: message.id, name: message.name })
  },

  'watching costs no more where arguments are large': async ({ engine }) => {
    const small = await costOfLooks(engine, 10)
    const large = await costOfLooks(engine, 1_000_000)
    assert.ok(large < 3 * small + 200, `${large} ms, ${small} ms for small ones`)
  },

  'nothing is told after the end of a watch': async ({ engine }) => {
    const [ended, other] = makeMessages(2)
    assert.ok(ended && other)
    await store(engine, ended, other)
    const seen: string[] = []
    const end = engine.watch(ended.id, () => seen.push('ended'))
    const endOther = engine.watch(other.id, (task) => seen.push(task?.state ?? 'gone'))
    await eventually('both are told', () => seen.length === 2)
    end()
    await engine.cancel(ended.id)
    await engine.cancel(other.id)
    await eventually('the other is told', () => seen.includes('cancelled'))
    endOther()
    assert.equal(seen.filter((state) => state === 'ended').length, 1)
  },
}
