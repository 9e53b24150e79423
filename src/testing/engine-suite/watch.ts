import assert from 'node:assert/strict'
import { done, eventually, makeMessage, makeMessages, type Part, store, TestWorker } from './setup.ts'

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
