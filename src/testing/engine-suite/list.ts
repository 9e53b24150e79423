import assert from 'node:assert/strict'
import type { TaskRecord } from '../../engines/engine.ts'
import { makeMessage, makeMessages, type Part, store } from './setup.ts'

const ids = (tasks: readonly TaskRecord[]) => tasks.map(({ message }) => message.id)

export const list: Part = {
  'tasks are listed newest first, in pages': async ({ engine }) => {
    const messages = makeMessages(125)
    await store(engine, ...messages)
    const newestFirst = messages.map(({ id }) => id).toReversed()
    const pages: string[][] = []
    for (let before: string | undefined; pages.flat().length < 125; before = pages.at(-1)?.at(-1))
      pages.push(ids(await engine.list(before === undefined ? {} : { before })))
    assert.deepEqual(
      pages.map(({ length }) => length),
      [50, 50, 25],
    )
    assert.deepEqual(pages.flat(), newestFirst)
    assert.deepEqual(await engine.list({ before: newestFirst.at(-1) ?? '' }), [])
  },

  'a list holds only what its filter asks for': async ({ engine }) => {
    const [mail, report, later] = [
      makeMessage({ name: 'mail', queue: 'fast' }),
      makeMessage({ name: 'report', queue: 'slow' }),
      makeMessage({ name: 'mail', queue: 'slow', runAt: Date.now() + 3_600_000 }),
    ]
    await store(engine, mail, report, later)
    await engine.cancel(report.id)
    assert.deepEqual(ids(await engine.list({ name: 'mail' })), [later.id, mail.id])
    assert.deepEqual(ids(await engine.list({ queue: 'slow' })), [later.id, report.id])
    assert.deepEqual(ids(await engine.list({ state: 'cancelled' })), [report.id])
    assert.deepEqual(ids(await engine.list({ state: 'scheduled', name: 'mail', queue: 'slow' })), [later.id])
    assert.deepEqual(ids(await engine.list({ name: 'mail', limit: 1 })), [later.id])
    assert.deepEqual(ids(await engine.list({ state: 'queued', before: mail.id })), [])
  },

  'a rare task is found among thousands of others': async ({ engine }) => {
    const rare = makeMessage({ name: 'rare' })
    await store(engine, rare)
    for (let stored = 0; stored < 5_000; stored += 1000) await store(engine, ...makeMessages(1000))
    assert.deepEqual(ids(await engine.list({ name: 'rare' })), [rare.id])
    await engine.cancel(rare.id)
    assert.deepEqual(ids(await engine.list({ state: 'cancelled' })), [rare.id])
    assert.equal((await engine.list({ state: 'queued', limit: 4_000 })).length, 4_000)
  },
}
