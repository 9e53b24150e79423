import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Outcome } from '../../src/engines/engine.ts'
import type { TaskMessage } from '../../src/tasks/message.ts'
import type { MemoryEngine } from '../support/memory-engine.ts'
import { until } from '../support/until.ts'
import { messageOf } from './messages.ts'
import { setUp } from './setup.ts'

/** How a task has ended, once it has. */
async function outcomeOf(engine: MemoryEngine, message: TaskMessage): Promise<Outcome> {
  await engine.enqueue([message])
  return await until(() => engine.rows.get(message.id)?.outcome, { what: `${message.name} to be settled` })
}

test('attempts end as they should', async (t) => {
  const { engine, file, notes, worker } = await setUp(t, { executors: 1 })

  await t.test('a task runs with its arguments, in its context, and its result is stored', async () => {
    const value = { at: new Date(0), list: [1n, undefined] }
    const done = await outcomeOf(engine, messageOf('quick', [value]))
    assert.equal(done.kind, 'done')
    const who = messageOf('whoami', [], { user: { sub: 'ada' } })
    const outcome = await outcomeOf(engine, who)
    assert.ok(outcome.kind === 'done')
    assert.deepEqual(JSON.parse(outcome.result), {
      user: { sub: 'ada' },
      task: { id: who.id, name: 'whoami', attempt: 1 },
      callId: 'call-1',
    })
    assert.ok(Math.abs(outcome.expiresAt - Date.now() - 3_600_000) < 10_000)
  })

  await t.test('a task that throws is retried as often as asked, then failed with its error', async () => {
    const message = messageOf('throw', ['no such mailbox'], { options: { retries: 2, backoff: 10 } })
    const outcome = await outcomeOf(engine, message)
    assert.ok(outcome.kind === 'failed')
    assert.equal(outcome.error.message, 'no such mailbox')
    assert.match(outcome.error.stack ?? '', /fixtures\/executor\.ts/)
    assert.equal(engine.rows.get(message.id)?.claims, 3)
  })

  await t.test('whatever a task throws, it fails and its executor lives', async () => {
    const [before] = worker.executors()
    for (const how of ['nothing', 'bare object', 'bad message', 'bad stack', 'no prototype', 'proxy']) {
      assert.equal((await outcomeOf(engine, messageOf('throwOddly', [how]))).kind, 'failed', how)
    }
    assert.equal(worker.executors()[0]?.pid, before?.pid)
  })

  await t.test('what an attempt fires is stored with its success, and dropped with its failure', async () => {
    const done = await outcomeOf(engine, messageOf('fireChildren', [file, 3, false]))
    assert.ok(done.kind === 'done')
    assert.equal(done.children.length, 3)
    await until(() => notes('noted').length === 3, { what: 'the children to run' })
    const failed = await outcomeOf(engine, messageOf('fireChildren', [file, 3, true]))
    assert.equal(failed.kind, 'failed')
    await outcomeOf(engine, messageOf('quick', [1]))
    assert.equal(notes('noted').length, 3)
  })

  await t.test('messages that can not be trusted or read are parked, each for its reason', async () => {
    const good = messageOf('quick', [1])
    const other = messageOf('quick', [2])
    const cases: [string, TaskMessage][] = [
      ['refused', { ...good, id: `${good.id}-a`, args: '[2]' }],
      ['refused', { ...good, id: `${good.id}-b` }],
      ['refused', { ...other, priority: 7 }],
      ['unknown_key', { ...messageOf('quick', [1]), context: 'v2.other.a.b.c.d' }],
      ['unknown_task', messageOf('quik', [1])],
    ]
    for (const [reason, message] of cases) {
      const outcome = await outcomeOf(engine, message)
      assert.ok(outcome.kind === 'parked', `${reason}: ${JSON.stringify(outcome)}`)
      assert.equal(outcome.reason, reason)
    }
  })

  await t.test('a result too large or of a kind that can not travel does not fail the task', async () => {
    assert.equal((await outcomeOf(engine, messageOf('unportable'))).kind, 'done')
    const huge = await outcomeOf(engine, messageOf('huge'))
    assert.ok(huge.kind === 'done')
    assert.equal(huge.result.length, 300_002)
  })

  await t.test('an outcome whose lease was lost changes nothing', async () => {
    const message = messageOf('wait', [file, 200])
    await engine.enqueue([message])
    await until(() => notes('wait').some(({ id }) => id === message.id), { what: 'its start' })
    engine.breakLease(message.id)
    await until(() => notes('waited').some(({ id }) => id === message.id), { what: 'its end' })
    await outcomeOf(engine, messageOf('quick', [1]))
    assert.equal(engine.rows.get(message.id)?.outcome, undefined)
  })

  await t.test('one that was done is not in hand any more', async () => {
    await until(() => worker.executors().every(({ inHand }) => inHand === 0), { what: 'empty hands' })
  })
})
