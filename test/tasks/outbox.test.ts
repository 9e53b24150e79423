import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openScope } from '../../src/core/context.ts'
import { StoreError } from '../../src/core/errors.ts'
import { type EventName, type Events, on } from '../../src/core/events.ts'
import type { StagedMessage } from '../../src/tasks/message.ts'
import { Outbox, type Way } from '../../src/tasks/outbox.ts'
import { until } from '../support/until.ts'
import { ControlledStore, stagedMessage } from './support.ts'

const messagesOf = (count: number) => Array.from({ length: count }, () => stagedMessage())

/** Seals nothing, so that what was stored can be told by what was staged. */
const sealAll: Way['sealAll'] = (batch) =>
  batch.map(({ contextText, ...message }) => ({ ...message, context: contextText }))

const idsOf = (messages: readonly { readonly id: string }[] = []) => messages.map(({ id }) => id)

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
    const answers = requests.map((messages) => outbox.release({ ...openScope(), staged: [...messages] }))
    await written(store, 1)
    assert.deepEqual(idsOf(store.batches[0]), idsOf(requests.flat()))
    store.answerStored()
    await Promise.all(answers)
  })

  test('halves what is released together for a store that works on one batch while the next is made ready', async () => {
    const store = new ControlledStore()
    const outbox = new Outbox({ sealAll, enqueue: store.enqueue, overlaps: () => true })
    const requests = Array.from({ length: 9 }, () => messagesOf(2))
    const answers = requests.map((messages) => outbox.store(messages))
    await written(store, 2)
    const alone = outbox.store(messagesOf(1))
    await written(store, 3)
    assert.deepEqual(
      store.batches.map((batch) => batch.length),
      [10, 8, 1],
    )
    assert.deepEqual(idsOf(store.batches.slice(0, 2).flat()), idsOf(requests.flat()))
    store.open = true
    while (store.inFlight > 0) store.answerStored()
    await Promise.all([...answers, alone])
    await outbox.idle()
  })

  test('has sixteen batches in flight, in order; what comes meanwhile is the next', async () => {
    const { store, outbox } = setUp()
    const early = Array.from({ length: 16 }, () => messagesOf(1))
    const answers: Promise<void>[] = []
    for (const [index, messages] of early.entries()) {
      answers.push(outbox.store(messages))
      await written(store, index + 1)
    }
    const later = [messagesOf(2), messagesOf(1)]
    const others = later.map((messages) => outbox.store(messages))
    for (let turn = 0; turn < 20; turn++) await nextTurn()
    assert.deepEqual([store.batches.length, store.inFlight], [16, 16])
    store.answerStored()
    await answers[0]
    await written(store, 17)
    assert.deepEqual(store.batches.map(idsOf), [...early, later.flat()].map(idsOf))
    store.open = true
    while (store.inFlight > 0) store.answerStored()
    await Promise.all([...answers, ...others])
    await outbox.idle()
  })

  test('has no second batch in flight beside one of more than 256 Ki letters', async () => {
    const { store, outbox } = setUp()
    const big = { ...stagedMessage(), args: 'x'.repeat(270_000) }
    const first = outbox.store([big])
    await written(store, 1)
    const second = outbox.store(messagesOf(1))
    for (let turn = 0; turn < 20; turn++) await nextTurn()
    assert.equal(store.batches.length, 1)
    store.answerStored()
    await first
    await written(store, 2)
    store.answerStored()
    await second
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
    store.open = true
    store.answerStored()
    await Promise.all([...waiting, after])
  })

  test('what is large goes alone and whole, in the order of its release; what is small shares a batch', async () => {
    const { store, outbox } = setUp()
    const inFlight = outbox.store([{ ...stagedMessage(), args: 'x'.repeat(270_000) }])
    await written(store, 1)
    const large = () => ({ ...stagedMessage(), args: 'x'.repeat(900_000) })
    const requests = [
      messagesOf(2),
      Array.from({ length: 30 }, large),
      messagesOf(1),
      [large()],
      messagesOf(3),
    ]
    const answers = requests.map((messages) => outbox.store(messages))
    store.open = true
    store.answerStored()
    await Promise.all([inFlight, ...answers])
    const [, ...batches] = store.batches
    assert.deepEqual(batches.map(idsOf), [
      idsOf(requests[0]),
      idsOf(requests[1]),
      idsOf(requests.slice(2).flat()),
    ])
  })

  test('others have their turn while what is large is sealed, and it is sealed once, in order', async () => {
    const store = new ControlledStore()
    const parts: number[] = []
    const turns: number[] = []
    let turn = 0
    const seals: Way['sealAll'] = (batch) => {
      parts.push(batch.length)
      turns.push(turn)
      return sealAll(batch)
    }
    const outbox = new Outbox({ sealAll: seals, enqueue: store.enqueue })
    const messages = Array.from({ length: 20 }, () => ({ ...stagedMessage(), args: 'x'.repeat(400_000) }))
    const stored = outbox.store(messages)
    for (; store.batches.length === 0; turn++) await nextTurn()
    assert.deepEqual(idsOf(store.batches[0]), idsOf(messages))
    assert.deepEqual(parts, Array(10).fill(2))
    assert.equal(new Set(turns).size, 10)
    store.answerStored()
    await stored
  })

  test('a seal that throws amid a large batch fails that one, and the next is stored', async () => {
    const store = new ControlledStore()
    store.open = true
    let calls = 0
    const seals: Way['sealAll'] = (batch) => {
      if (++calls === 3) throw new RangeError('no more room')
      return sealAll(batch)
    }
    const outbox = new Outbox({ sealAll: seals, enqueue: store.enqueue })
    const large = Array.from({ length: 8 }, () => ({ ...stagedMessage(), args: 'x'.repeat(900_000) }))
    const failed = assert.rejects(outbox.store(large), { code: 'STORE_FAILED', message: /no more room/ })
    const next = outbox.store(messagesOf(1))
    await Promise.all([failed, next])
    assert.deepEqual(
      store.batches.map(({ length }) => length),
      [1],
    )
  })

  test('nothing to store is no write', async () => {
    const { store, outbox } = setUp()
    await outbox.release(openScope())
    await outbox.store([])
    await nextTurn()
    assert.equal(store.batches.length, 0)
  })
})
