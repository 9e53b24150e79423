import assert from 'node:assert/strict'
import { join } from 'node:path'
import { beforeEach, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type RanTask, testService } from '../../src/testing/testing.ts'
import { Order } from './shop/apis/shop.gen.ts'
import { told as reported } from './shop/service.ts'
import { charge, confirm, done, flaky, note } from './shop/tasks/mails.ts'

const shop = join(import.meta.dirname, 'shop')
const order = { item: 'tea', at: '2026-01-02T03:04:05Z' }

beforeEach(() => {
  done.length = 0
})

/** Runs as `name outcome→state`. */
function told(ran: readonly RanTask[]): readonly string[] {
  return ran.map(({ name, outcome, state }) => `${name} ${outcome}→${state}`)
}

for (const process of ['executor', 'worker'] as const) {
  test(`a task whose ${process} dies is run again, by whom it was fired, and fires its child once`, async () => {
    for (const after of ['claimed', 'begun', 'ran'] as const) {
      done.length = 0
      await using service = await testService(shop)
      ;(await service.as('ann').post('/orders', order)).expect(201)
      service.faults.crash({ process, after, task: confirm })
      const ran = await service.tasks.drain()
      assert.deepEqual(told(ran), ['confirm crashed→queued', 'confirm done→done', 'note done→done'])
      const runs = done.filter((line) => line === 'Order tea 2026 for ann')
      assert.equal(runs.length, after === 'ran' ? 2 : 1)
      assert.equal(service.tasks.fired(note).length, 1)
    }
  })

  test(`a task that must not start twice is parked as lost when its ${process} dies`, async () => {
    for (const after of ['begun', 'ran'] as const) {
      done.length = 0
      await using service = await testService(shop)
      await service.run(() => charge.fire(10))
      service.faults.crash({ process, after })
      assert.deepEqual(told(await service.tasks.drain({ mayFail: true })), [
        `charge ${process === 'worker' ? 'crashed' : 'parked'}→parked`,
      ])
      assert.deepEqual(done, after === 'ran' ? ['charged 10'] : [])
      assert.deepEqual(service.tasks.fired(note), [])
      await assert.rejects(service.tasks.firedOnce(charge).handle.result(), /is parked as lost/)
      await nextTurn()
      assert.match(reported.pop() ?? '', /^charge\(\): .* \(charge\)$/, 'the reporter is told of it')
    }
  })
}

test('an executor that dies before it has begun such a task leaves it as if it had not been taken', async () => {
  await using service = await testService(shop)
  await service.run(() => charge.fire(10))
  service.faults.crash({ after: 'claimed' })
  assert.deepEqual(told(await service.tasks.drain()).slice(0, 2), [
    'charge crashed→queued',
    'charge done→done',
  ])
  assert.deepEqual(done, ['charged 10', 'receipt'])
})

test('a crash is no failure: it costs none of the retries', async () => {
  await using service = await testService(shop)
  await service.run(() => flaky.with({ retries: 1 }).fire(2))
  service.faults.crash({ after: 'ran', task: flaky })
  assert.equal((await service.tasks.runNext())?.outcome, 'crashed')
  const second = await service.tasks.runNext()
  assert.ok(second?.outcome === 'retry')
  assert.equal(second.attempt, 2)
  await service.clock.advanceTo(second.runAt)
  assert.equal((await service.tasks.runNext())?.outcome, 'done')
})

test('a task that kills its executor again and again is parked as poison, and its neighbours run', async () => {
  await using service = await testService(shop)
  await service.run(() => {
    confirm.fire(new Order(order))
    note.fire('neighbour')
  })
  service.faults.crash({ after: 'begun', task: confirm, times: 4 })
  const ran = await service.tasks.drain({ mayFail: true })
  assert.deepEqual(told(ran), [
    'confirm crashed→queued',
    'confirm crashed→queued',
    'confirm crashed→queued',
    'confirm parked→parked',
    'note done→done',
  ])
  const last = ran[3]
  assert.ok(last?.outcome === 'parked')
  assert.equal(last.reason, 'poison')
  assert.equal('code' in last.error && last.error.code, 'EXECUTOR_DIED')
})

test('a task that is running under ten workers when they die is parked as poison', async () => {
  await using service = await testService(shop)
  await service.run(() => note.fire('never'))
  service.faults.crash({ process: 'worker', after: 'begun', times: 10 })
  const ran = await service.tasks.drain({ mayFail: true })
  assert.equal(ran.length, 10)
  assert.equal(ran.at(-1)?.state, 'parked')
})

test('a task that is delivered twice runs twice; only one of its runs is recorded and fires', async () => {
  await using service = await testService(shop)
  ;(await service.as('ann').post('/orders', order)).expect(201)
  service.faults.deliverTwice({ task: confirm })
  const ran = await service.tasks.drain()
  assert.deepEqual(told(ran), ['confirm lost→queued', 'confirm done→done', 'note done→done'])
  assert.deepEqual(done, ['Order tea 2026 for ann', 'Order tea 2026 for ann', 'child of attempt 1'])
})

test('a task that must not start twice is not delivered twice, but lost', async () => {
  await using service = await testService(shop)
  await service.run(() => charge.fire(10))
  service.faults.deliverTwice()
  assert.deepEqual(told(await service.tasks.drain({ mayFail: true })), ['charge lost→parked'])
  assert.deepEqual(done, ['charged 10'])
})

test('while the store refuses, a request that fires is answered 503, and one that fires nothing is not', async () => {
  await using service = await testService(shop)
  const client = service.as('ann')
  service.faults.refuseStore({ times: 2, code: 'STORE_UNWRITABLE' })
  const refused = (await client.post('/orders', order)).expect(503, 'TASKS_UNAVAILABLE')
  assert.equal(refused.headers['retry-after'], '1')
  assert.match(String(refused.json.error_description), /STORE_UNWRITABLE/)
  ;(await service.get('/ping')).expect(200)
  await assert.rejects(
    service.run(() => note.fire.now('at once')),
    { code: 'STORE_UNWRITABLE' },
  )
  assert.deepEqual(service.tasks.fired(), [])
  ;(await client.post('/orders', order)).expect(201)
  assert.equal(service.tasks.fired().length, 1)
})

test('a 503 does not prove that nothing was stored', async () => {
  await using service = await testService(shop)
  service.faults.refuseStore({ stores: true })
  ;(await service.as('ann').post('/orders', order)).expect(503, 'TASKS_UNAVAILABLE')
  await service.tasks.drain()
  assert.deepEqual(done, ['Order tea 2026 for ann', 'child of attempt 1'])
})

test('a reply waits for a slow store', async () => {
  await using service = await testService(shop)
  const held = service.faults.holdStore()
  let status: number | undefined
  const replied = service
    .as('ann')
    .post('/orders', order)
    .then((reply) => {
      status = reply.status
    })
  for (let turn = 0; turn < 50; turn++) await nextTurn()
  assert.equal(status, undefined)
  assert.deepEqual(service.tasks.fired(), [])
  held.release()
  await replied
  assert.equal(status, 201)
  assert.equal(service.tasks.fired().length, 1)
})

test('a fault that makes no sense is refused', async () => {
  await using service = await testService(shop)
  assert.throws(() => service.faults.crash({ after: 'begun', times: 0 }), { code: 'BAD_FAULT' })
})
