import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openScope } from '../../src/core/context.ts'
import { StoreError } from '../../src/core/errors.ts'
import { type EventName, type Events, on } from '../../src/core/events.ts'
import type { StagedMessage } from '../../src/tasks/message.ts'
import { dropScope, Outbox, takeStaged, type Way } from '../../src/tasks/outbox.ts'
import { until } from '../support/until.ts'
import { ControlledStore, stagedMessage } from './support.ts'

const messagesOf = (count: number) => Array.from({ length: count }, () => stagedMessage())

/** Seals nothing, so that what was stored can be told by what was staged. */
const sealAll: Way['sealAll'] = (batch) =>
  batch.map(({ contextText, ...message }) => ({ ...message, context: contextText }))

const idsOf = (messages: readonly { readonly id: string }[] = []) => messages.map(({ id }) => id)

function scopeWith(messages: readonly StagedMessage[]) {
  const scope = openScope()
  scope.staged.push(...messages)
  return scope
}

function setUp() {
  const store = new ControlledStore()
  return { store, outbox: new Outbox({ sealAll, enqueue: store.enqueue }) }
}

function heard<Name extends EventName>(t: TestContext, name: Name): Events[Name][] {
  const details: Events[Name][] = []
  t.after(on(name, (detail) => details.push(detail)))
  return details
}

const written = (store: ControlledStore, count: number) =>
  until(() => store.batches.length === count, { what: `batch ${count} to be written`, everyMs: 1 })

suite('the outbox', () => {
  test('writes what is released in one turn of the loop as one batch, in order, each request’s tasks together', async () => {
    const { store, outbox } = setUp()
    const requests = [messagesOf(3), messagesOf(1), messagesOf(2)]
    const answers = requests.map((messages) => outbox.release(scopeWith(messages)))
    await written(store, 1)
    assert.deepEqual(idsOf(store.batches[0]), idsOf(requests.flat()))
    store.answerStored()
    await Promise.all(answers)
  })

  test('has one write in flight; what comes meanwhile is the next batch', async () => {
    const { store, outbox } = setUp()
    const first = outbox.store(messagesOf(1))
    await written(store, 1)
    const later = [messagesOf(2), messagesOf(1)]
    const others = later.map((messages) => outbox.store(messages))
    for (let turn = 0; turn < 20; turn++) await nextTurn()
    assert.deepEqual([store.batches.length, store.inFlight], [1, 1])
    store.answerStored()
    await first
    await written(store, 2)
    assert.deepEqual(idsOf(store.batches[1]), idsOf(later.flat()))
    store.answerStored()
    await Promise.all(others)
  })

  test('answers each release for its own tasks only', async (t) => {
    const { store, outbox } = setUp()
    const failures = heard(t, 'task.store_failed')
    const stored = heard(t, 'task.stored')
    const requests = [messagesOf(2), messagesOf(2), messagesOf(1)]
    const answers = Promise.allSettled(requests.map((messages) => outbox.store(messages)))
    await written(store, 1)
    const full = new StoreError('STORE_FULL', 'full')
    store.answer([
      { stored: true },
      { stored: true },
      { stored: true },
      { stored: false, error: full },
      { stored: true },
    ])
    assert.deepEqual(await answers, [
      { status: 'fulfilled', value: undefined },
      { status: 'rejected', reason: full },
      { status: 'fulfilled', value: undefined },
    ])
    assert.deepEqual(failures, [{ count: 1, code: 'STORE_FULL', error: full }])
    assert.deepEqual(
      stored.map(({ count }) => count),
      [4],
    )
  })

  test('a rejected write fails exactly the releases that were in it', async (t) => {
    const { store, outbox } = setUp()
    const failures = heard(t, 'task.store_failed')
    const failing = Promise.allSettled([outbox.store(messagesOf(2)), outbox.store(messagesOf(1))])
    await written(store, 1)
    const next = outbox.store(messagesOf(1))
    store.fail(new Error('disk on fire'))
    for (const answer of await failing) {
      assert.ok(answer.status === 'rejected' && answer.reason instanceof StoreError)
      assert.deepEqual([answer.reason.code, answer.reason.status], ['STORE_FAILED', 503])
      assert.match(answer.reason.message, /disk on fire/)
    }
    await written(store, 2)
    store.answerStored()
    await next
    assert.deepEqual(
      failures.map(({ count }) => count),
      [3],
    )
  })

  test('a store that throws, answers too little, too much or nonsense fails nobody wrongly and goes on', async () => {
    const { store, outbox } = setUp()
    const codesOf = async (act: () => void) => {
      const batch = store.batches.length + 1
      const answers = Promise.allSettled([outbox.store(messagesOf(1)), outbox.store(messagesOf(2))])
      await written(store, batch)
      act()
      return (await answers).map((answer) => (answer.status === 'fulfilled' ? 'stored' : answer.reason.code))
    }
    const stored = { stored: true } as const
    assert.deepEqual(await codesOf(() => store.answer([stored, stored])), ['stored', 'STORE_SILENT'])
    assert.deepEqual(await codesOf(() => store.answer([])), ['STORE_SILENT', 'STORE_SILENT'])
    // An engine of a third party may well answer nothing at all.
    assert.deepEqual(await codesOf(() => store.answer(undefined as never)), ['STORE_FAILED', 'STORE_FAILED'])
    assert.deepEqual(await codesOf(() => store.fail('a text')), ['STORE_FAILED', 'STORE_FAILED'])
    assert.deepEqual(await codesOf(() => store.answer([stored, stored, stored, stored])), [
      'stored',
      'stored',
    ])
    const thrown = () => {
      throw new TypeError('at once')
    }
    for (const way of [
      { sealAll, enqueue: thrown },
      { sealAll: thrown, enqueue: store.enqueue },
    ]) {
      const throwing = new Outbox(way)
      await assert.rejects(throwing.store(messagesOf(1)), { code: 'STORE_FAILED', message: /at once/ })
      await assert.rejects(throwing.store(messagesOf(1)), { code: 'STORE_FAILED' })
    }
  })

  test('order is kept within and across batches under load, and everything is stored once', async () => {
    const { store, outbox } = setUp()
    store.open = true
    const all: StagedMessage[] = []
    const answers: Promise<void>[] = []
    for (let turn = 0; turn < 200; turn++) {
      for (let request = 0; request < turn % 7; request++) {
        const messages = messagesOf(1 + ((turn + request) % 3))
        all.push(...messages)
        answers.push(outbox.store(messages))
      }
      if (turn % 3 === 0) await nextTurn()
    }
    await Promise.all(answers)
    assert.deepEqual(idsOf(store.batches.flat()), idsOf(all))
    assert.ok(store.batches.length < answers.length / 2)
  })

  test('refuses more when 64 MiB wait for a store that does not answer, and takes more when it does again', async () => {
    const { store, outbox } = setUp()
    const big = { ...stagedMessage(), args: 'x'.repeat(8_388_608) }
    const inFlight = outbox.store([big])
    await written(store, 1)
    const waiting = Array.from({ length: 8 }, () => outbox.store([big]))
    await assert.rejects(outbox.store([big]), {
      code: 'STORE_BUSY',
      status: 503,
      message: /64 MiB of tasks wait/,
    })
    store.answerStored()
    await inFlight
    await written(store, 2)
    const after = outbox.store([big])
    store.answerStored()
    await Promise.all(waiting)
    await written(store, 3)
    store.answerStored()
    await after
  })

  test('nothing to store is no write', async () => {
    const { store, outbox } = setUp()
    await outbox.release(openScope())
    await outbox.store([])
    await nextTurn()
    assert.equal(store.batches.length, 0)
  })
})

suite('a scope', () => {
  test('ends once: what was dropped is never released, what was released never dropped', (t) => {
    const dropped = heard(t, 'scope.dropped')
    const messages = messagesOf(2)
    const first = scopeWith(messages)
    dropScope(first, 'call-1')
    assert.deepEqual(
      [first.state, first.staged, takeStaged(first), first.state],
      ['dropped', [], [], 'dropped'],
    )
    const second = scopeWith(messages)
    assert.deepEqual(takeStaged(second), messages)
    dropScope(second)
    assert.deepEqual([second.state, takeStaged(second)], ['released', []])
    assert.deepEqual(dropped, [{ callId: 'call-1', userId: undefined, tasks: ['mail', 'mail'] }])
  })

  test('that has fired nothing is dropped without a word', (t) => {
    const dropped = heard(t, 'scope.dropped')
    dropScope(openScope(), 'call-1')
    assert.deepEqual(dropped, [])
  })
})
