import assert from 'node:assert/strict'
import { join } from 'node:path'
import { beforeEach, test } from 'node:test'
import { testService } from '../../src/testing/testing.ts'
import { Order } from './shop/apis/shop.gen.ts'
import { afterwards } from './shop/shop/orders.ts'
import { again, confirm, done, flaky, hang, note, tokenTeller, waiter } from './shop/tasks/mails.ts'

const shop = join(import.meta.dirname, 'shop')

beforeEach(() => {
  done.length = 0
})

test('a request fires a task as its user, and draining runs it and what it fires', async () => {
  await using service = await testService(shop)
  const order = { item: 'tea', at: '2026-01-02T03:04:05Z' }
  const reply = (await service.as('ann').post('/orders', order)).expect(201)
  const call = service.tasks.firedOnce(confirm)
  assert.equal(call.id, reply.json.mail)
  assert.deepEqual(call.args, [new Order(order)])
  assert.equal(call.context.user?.sub, 'ann')
  assert.equal(call.context.callId, reply.callId)
  assert.equal(call.context.request?.path, '/orders')
  assert.equal((await call.handle.status()).state, 'queued')
  assert.deepEqual(done, [])

  const ran = await service.tasks.drain()
  assert.deepEqual(
    ran.map(({ name, outcome, state, attempt }) => [name, outcome, state, attempt]),
    [
      ['confirm', 'done', 'done', 1],
      ['note', 'done', 'done', 1],
    ],
  )
  assert.deepEqual(done, ['Order tea 2026 for ann', 'child of attempt 1'])
  assert.equal(service.tasks.firedOnce(note).firedBy, call.id)
  assert.equal((await call.handle.status()).state, 'done')
})

test('a request that fails has fired nothing; code of it that goes on cannot fire either', async () => {
  await using service = await testService(shop)
  ;(await service.post('/rush?end=throw')).expect(409, 'OUT_OF_STOCK')
  assert.throws(() => afterwards.fire?.(), { code: 'SCOPE_DROPPED' })
  assert.deepEqual(service.tasks.fired(), [])
  assert.deepEqual(await service.tasks.drain(), [])
  assert.throws(() => service.tasks.firedOnce(note), {
    code: 'NOT_FIRED_ONCE',
    message: 'Task note was not fired. Nothing was.',
  })
})

test('code that goes on after a request that succeeded fires into the service of that request', async () => {
  await using service = await testService(shop)
  ;(await service.post('/rush?end=well')).expect(204)
  await using _other = await testService(shop)
  afterwards.fire?.()
  await service.tasks.drain()
  assert.deepEqual(done, ['well', 'later'])
  assert.throws(() => service.tasks.firedOnce(note), {
    message: 'Task note was fired 2 times:\n  note("well")\n  note("later")',
  })
})

test('one task at a time, in the order of a worker: by priority, then by age', async () => {
  await using service = await testService(shop)
  await service.run(() => {
    note.fire('second')
    note.with({ priority: 5 }).fire('last')
    note.fire('third')
    note.with({ delay: '1ms' }).fire('not due')
  })
  const results = []
  for (let ran = await service.tasks.runNext(); ran; ran = await service.tasks.runNext()) {
    results.push(ran.outcome === 'done' && ran.result)
  }
  assert.deepEqual(done, ['second', 'third', 'last'])
  assert.deepEqual(results, [6, 5, 4])
})

test('delays and `at` go by the clock of the service, to the millisecond', async () => {
  await using service = await testService({ folder: shop, now: new Date('2030-01-01T00:00:00Z') })
  await service.run(() => {
    note.with({ delay: '5m' }).fire('in five minutes')
    note.with({ at: new Date('2030-01-01T01:00:00Z') }).fire('at one')
  })
  const [delayed, at] = service.tasks.fired(note)
  assert.equal(delayed?.runAt.toISOString(), '2030-01-01T00:05:00.000Z')
  assert.equal(at?.runAt.toISOString(), '2030-01-01T01:00:00.000Z')
  await service.clock.advance(299_999)
  assert.deepEqual(await service.tasks.drain(), [])
  assert.equal((await delayed?.handle.status())?.state, 'scheduled')
  await service.clock.advance('1ms')
  assert.equal((await service.tasks.drain()).length, 1)
  await service.clock.advanceTo(new Date('2030-01-01T01:00:00Z'))
  await service.tasks.drain()
  assert.deepEqual(done, ['in five minutes', 'at one'])
  await assert.rejects(service.clock.advanceTo(0), { code: 'CLOCK_BACKWARDS' })
  await assert.rejects(service.clock.advanceTo(new Date('x')), /was asked to go to a time that is none/)
})

test('a task that throws is run again after its backoff, and only its success fires', async () => {
  await using service = await testService(shop)
  await service.run(() => flaky.fire(2))
  const first = await service.tasks.runNext()
  assert.ok(first?.outcome === 'retry')
  assert.ok(first.error instanceof RangeError)
  assert.equal(first.runAt.getTime(), service.clock.now() + 10_000)
  assert.equal(first.state, 'scheduled')
  assert.equal(await service.tasks.runNext(), undefined)
  await service.clock.advanceTo(first.runAt)
  assert.equal((await service.tasks.runNext())?.outcome, 'retry')
  await service.clock.advance('20s')
  const [last] = await service.tasks.drain()
  assert.ok(last?.outcome === 'done')
  assert.equal(last.result, 3)
  assert.equal(await service.tasks.firedOnce(flaky).handle.result(), 3)
  assert.deepEqual(done, ['attempt 1', 'attempt 2', 'attempt 3', 'fired by attempt 3'])
})

test('a delayed retry can be cancelled by its handle', async () => {
  await using service = await testService(shop)
  await service.run(() => flaky.with({ delay: '1h' }).fire(5))
  const { handle } = service.tasks.firedOnce(flaky)
  await service.clock.advance('1h')
  assert.equal((await service.tasks.runNext())?.outcome, 'retry')
  assert.equal(await handle.cancel(), true)
  await service.clock.advance('1d')
  assert.deepEqual(await service.tasks.drain(), [])
  await assert.rejects(handle.result(), { code: 'TASK_CANCELLED' })
})

test('a drain in which a task fails throws what the task has thrown, with its stack, after all have run', async () => {
  await using service = await testService(shop)
  await service.run(() => {
    flaky.with({ retries: 0 }).fire(1)
    note.fire('after it')
  })
  const drained = service.tasks.drain()
  await assert.rejects(drained, (error: Error) => {
    assert.match(error.message, /^A task has failed:\n\nTask flaky \([0-9a-f-]{36}\) failed in attempt 1: /)
    assert.match(error.message, /RangeError: attempt 1 is not enough\n\s+at .*mails\.ts:\d+/)
    assert.ok(error.cause instanceof RangeError)
    return 'code' in error && error.code === 'TASKS_FAILED'
  })
  assert.deepEqual(done, ['attempt 1', 'after it'])
  await assert.rejects(service.tasks.firedOnce(flaky).handle.result(), { code: 'TASK_FAILED' })
})

test('failures can be what a test is about', async () => {
  await using service = await testService(shop)
  await service.run(() => flaky.with({ retries: 0 }).fire(1))
  const [ran] = await service.tasks.drain({ mayFail: true })
  assert.ok(ran?.outcome === 'failed')
  assert.equal(ran.state, 'failed')
})

test('settled tasks are kept as long as they ask, by the clock', async () => {
  await using service = await testService(shop)
  await service.run(() => note.with({ keep: '10m' }).fire('kept'))
  const { handle } = service.tasks.firedOnce(note)
  await service.tasks.drain()
  await service.clock.advance(599_999)
  assert.equal((await handle.status()).state, 'done')
  await service.clock.advance(1)
  assert.equal((await handle.status()).state, 'unknown')
  assert.equal(service.tasks.fired(note).length, 1)
})

test('a task that never ends is named, and the others go on', async () => {
  await using service = await testService(shop)
  await service.run(() => {
    hang.fire()
    note.fire('after it')
  })
  await assert.rejects(service.tasks.drain({ timeout: 20 }), {
    code: 'TASK_STUCK',
    message: /^Task hang \([0-9a-f-]{36}\) has not ended after 20 ms of real time/,
  })
  assert.equal((await service.tasks.firedOnce(hang).handle.status()).state, 'running')
  await service.tasks.drain()
  assert.deepEqual(done, ['after it'])
})

test('a task that fires itself for ever is stopped and named', async () => {
  await using service = await testService(shop)
  await service.run(() => again.fire())
  await assert.rejects(service.tasks.drain({ limit: 20 }), {
    code: 'DRAIN_ENDLESS',
    message: /^After 20 runs tasks are still due; most often ran again \(20 times\)/,
  })
  assert.equal(service.tasks.fired(again).length, 21)
  const [last] = service.tasks.fired(again).toReversed()
  assert.equal((await last?.handle.status())?.state, 'queued')
})

test('tasks that wait for each other run side by side where asked for', async () => {
  await using service = await testService(shop)
  await service.run(() => waiter.fire())
  const ran = await service.tasks.drain({ concurrency: 2 })
  assert.deepEqual(
    ran.map(({ name }) => name),
    ['note', 'waiter'],
  )
  assert.equal(await service.tasks.firedOnce(waiter).handle.result(), 14)
})

test('a token that has expired meanwhile is refused to the task, whose user is still known', async () => {
  await using service = await testService(shop)
  const token = await service.token({ sub: 'ann', admin: true }, { expiresIn: '1h' })
  const headers = { authorization: `Bearer ${token}` }
  const order = { item: 'tea', at: new Date() }
  ;(await service.post('/orders', order, { headers })).expect(201)
  await service.run(() => tokenTeller.fire())
  await service.clock.advance('2h')
  ;(await service.post('/orders', order, { headers })).expect(401, 'TOKEN_EXPIRED')
  ;(await service.as({ sub: 'ann' }).post('/orders', order)).expect(201)
  await service.tasks.drain()
  assert.equal(service.tasks.fired(confirm)[0]?.context.user?.admin, true)
  assert.equal(done[0], `Order tea ${order.at.getFullYear()} for ann`)
})
