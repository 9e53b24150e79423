import assert from 'node:assert/strict'
import { makeMessage, makeMessages, type Part, store } from './setup.ts'

export const enqueue: Part = {
  'a stored task is found as it was fired': async ({ engine }) => {
    const message = makeMessage({
      args: '[{"$date":1}]',
      options: '{"retries":3}',
      priority: 7,
      queue: 'mail',
    })
    assert.deepEqual(await engine.enqueue([message]), [{ stored: true }])
    const found = await engine.find(message.id)
    assert.deepEqual(found?.message, message)
    assert.equal(found?.state, 'queued')
    assert.equal(found?.attempts, 0)
  },

  'any text comes back as it was: other scripts, emoji, quotes, control characters': async ({ engine }) => {
    const text = `"it's" ünïcödé 中文 🍪 \u0000 \n \\ %s ; DROP TABLE tasks`
    const message = makeMessage({
      name: text,
      queue: text,
      args: text,
      options: text,
      context: text,
    })
    await store(engine, message)
    assert.deepEqual((await engine.find(message.id))?.message, message)
  },

  'arguments of 1 MiB come back whole': async ({ engine }) => {
    const message = makeMessage({ args: JSON.stringify(['x'.repeat(1024 * 1024)]) })
    await store(engine, message)
    assert.equal((await engine.find(message.id))?.message.args, message.args)
  },

  'every message of a batch has its answer': async ({ engine }) => {
    const answers = await engine.enqueue(makeMessages(250))
    assert.equal(answers.length, 250)
    assert.ok(answers.every((answer) => answer.stored))
    assert.equal((await engine.counts()).queued, 250)
  },

  'an empty batch is stored': async ({ engine }) => {
    assert.deepEqual(await engine.enqueue([]), [])
  },

  'an id that is stored already answers stored and changes nothing': async ({ engine }) => {
    const message = makeMessage()
    await store(engine, message)
    const again = { ...message, args: '["other"]' }
    assert.deepEqual(await engine.enqueue([again, makeMessage(), again]), [
      { stored: true },
      { stored: true },
      { stored: true },
    ])
    assert.equal((await engine.find(message.id))?.message.args, message.args)
    assert.equal((await engine.counts()).queued, 2)
  },

  'a task that was settled already is not run again when its message is stored once more': async ({
    engine,
  }) => {
    const message = makeMessage()
    await store(engine, message)
    await engine.cancel(message.id)
    await store(engine, message)
    assert.equal((await engine.find(message.id))?.state, 'cancelled')
  },

  'a task for later is scheduled': async ({ engine }) => {
    const message = makeMessage({ runAt: Date.now() + 3_600_000 })
    await store(engine, message)
    const found = await engine.find(message.id)
    assert.equal(found?.state, 'scheduled')
    assert.equal(found?.runAt, message.runAt)
  },

  'batches stored at the same time through two engines are all there': async ({ engine, second }) => {
    const other = await second()
    const batches = Array.from({ length: 40 }, () => makeMessages(10))
    await Promise.all(batches.map((batch, index) => store(index % 2 === 0 ? engine : other, ...batch)))
    assert.equal((await engine.counts()).queued, 400)
    const found = await Promise.all(batches.flat().map(({ id }) => other.find(id)))
    assert.ok(found.every((task) => task !== undefined))
  },
}
