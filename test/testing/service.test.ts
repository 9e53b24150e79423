import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { codeOf } from '../../src/core/errors.ts'
import { testService } from '../../src/testing/testing.ts'
import { ownFolder } from '../support/folder.ts'
import { Placed } from './shop/apis/shop.gen.ts'
import { told } from './shop/service.ts'
import { done, flaky, note } from './shop/tasks/mails.ts'

const shop = join(import.meta.dirname, 'shop')
const order = { item: 'tea', at: '2026-01-02T03:04:05Z' }

beforeEach(() => {
  done.length = 0
})

test('each service begins with an empty store, and leaves no file', async () => {
  for (let round = 0; round < 2; round++) {
    await using service = await testService(pathToFileURL(shop))
    await service.run(() => note.fire('x'))
    assert.equal(service.tasks.fired().length, 1)
  }
  await using service = await testService(shop)
  assert.deepEqual(await service.tasks.drain(), [])
  assert.deepEqual(done, [])
  assert.equal(existsSync(join(shop, '.macaron')), false)
})

test('services that are open at the same time know nothing of each other', async () => {
  await using one = await testService(shop)
  await using other = await testService({ folder: shop, now: 0 })
  await Promise.all([
    one.as('ann').post('/orders', { ...order, item: 'one' }),
    other.as('bob').post('/orders', { ...order, item: 'other' }),
  ])
  await one.clock.advance('1d')
  assert.equal(other.clock.now(), 0)
  assert.equal(other.tasks.fired()[0]?.firedAt.getTime(), 0)
  await one.tasks.drain()
  assert.deepEqual(done, ['Order one 2026 for ann', 'child of attempt 1'])
  await one.close()
  await other.tasks.drain()
  assert.equal(done[2], 'Order other 2026 for bob')
})

test('a token of one service is no token of another', async () => {
  await using one = await testService(shop)
  await using other = await testService(shop)
  const headers = { authorization: `Bearer ${await one.token('ann')}` }
  ;(await one.post('/orders', order, { headers })).expect(201)
  ;(await other.post('/orders', order, { headers })).expect(401, 'TOKEN_INVALID')
})

test('requests are refused as they are by a server', async () => {
  await using service = await testService(shop)
  ;(await service.post('/orders', order)).expect(401, 'AUTHORIZATION_HEADER_MISSING')
  const { json } = (await service.as('ann').post('/orders', { item: 7 })).expect(400, 'INVALID_PARAMETER')
  assert.equal((json.faults as unknown[]).length, 2)
  ;(
    await service.as('ann').inject({
      method: 'post',
      url: '/orders',
      payload: '{"item":',
      headers: { 'Content-Type': 'application/json' },
    })
  ).expect(400, 'BODY_NOT_JSON')
  const form = new URLSearchParams({ item: 'tea' })
  ;(await service.as('ann').post('/orders', form)).expect(415, 'UNSUPPORTED_MEDIA_TYPE')
  ;(await service.get('/nowhere')).expect(404)
  ;(await service.delete('/orders')).expect(405)
})

test('a reply is read as JSON or as a model', async () => {
  await using service = await testService(shop)
  const reply = (await service.as('ann').post<{ mail: string }>('/orders', order)).expect(201)
  assert.equal(reply.json.mail.length, 36)
  assert.ok(reply.model(Placed) instanceof Placed)
  const empty = (await service.post('/rush?end=well')).expect(204)
  assert.equal(empty.text, '')
  assert.throws(() => empty.json, { code: 'REPLY_NOT_JSON' })
})

test('a reply of another status than expected shows body and cause', async () => {
  await using service = await testService({ folder: shop, config: { with_async: false } })
  const reply = await service.as('ann').post('/orders', order)
  assert.throws(
    () => reply.expect(201),
    (error: Error) => {
      assert.match(
        error.message,
        /^POST \/orders was answered 500: \{"status":500,"error":"ASYNC_OFF".*, not 201\n\nThrown was: TaskError: Task confirm was fired/s,
      )
      assert.match(error.message, /at .*orders\.ts:\d+/)
      return true
    },
  )
  assert.throws(() => service.tasks, { code: 'ASYNC_OFF' })
  assert.throws(() => service.faults, { code: 'ASYNC_OFF' })
})

test('service.ts is told of the start and the stop of a test, and what goes wrong is reported as it is in a worker', async () => {
  told.length = 0
  const service = await testService(shop)
  await service.run(() => flaky.with({ retries: 0 }).fire(1))
  await service.tasks.drain({ mayFail: true })
  await service.close()
  const [start, report, stop] = told
  assert.deepEqual([start, stop], ['start as test', 'stop as test'])
  assert.match(String(report), /attempt 1 is not enough.* \(flaky\)$/)
})

test('mistakes in the files of a service are told with file and line', async (t) => {
  const folder = ownFolder(t)
  await assert.rejects(testService(folder), { code: 'CONFIG_MISSING' })
  writeFileSync(join(folder, 'macaron.yaml'), 'name: broken')
  cpSync(join(shop, 'apis'), join(folder, 'apis'), { recursive: true })
  await assert.rejects(testService(folder), (error: Error) => {
    assert.match(error.message, /shop\.yaml:6:\d+: .*shop\.orders\.placeOrder/)
    return codeOf(error) === 'BINDING_MISSING'
  })
  await assert.rejects(testService({ folder: shop, config: { body_limit: -1 } }), {
    code: 'CONFIG_INVALID',
    message: /^In the settings that the test gives, body_limit must be a whole number/,
  })
})

test('settings and environment of a test come before those of the service', async () => {
  const production = { folder: shop, environment: { MACARON_ENV: 'production' } }
  await using service = await testService({ ...production, config: { max_task_bytes: 1024 } })
  await assert.rejects(
    service.run(() => note.fire('x'.repeat(2000))),
    { code: 'ARGUMENT_TOO_LARGE' },
  )
})

test('a service that nobody closes keeps neither the next one nor the end of the process waiting', () => {
  const script = `
    const { testService } = await import('macaron/testing')
    const { note, hang } = await import(${JSON.stringify(join(shop, 'tasks/mails.ts'))})
    const forgotten = await testService(${JSON.stringify(shop)})
    await forgotten.run(() => note.with({ delay: 100 }).fire('later'))
    await forgotten.run(() => hang.fire())
    await forgotten.tasks.drain({ timeout: 10 }).catch(({ code }) => console.log(code))
    await using next = await testService(${JSON.stringify(shop)})
    console.log(next.tasks.fired().length)`
  const args = ['--conditions=macaron-source', '--input-type=module-typescript', '--eval', script]
  const output = execFileSync(process.execPath, args, { timeout: 60_000, encoding: 'utf8' })
  assert.equal(output, 'TASK_STUCK\n0\n')
})

test('a closed service refuses, and closing again is harmless', async () => {
  const service = await testService(shop)
  await service.close()
  await service.close()
  await assert.rejects(
    service.run(() => note.fire('x')),
    { code: 'TEST_SERVICE_CLOSED' },
  )
  await assert.rejects(service.get('/ping'), { code: 'TEST_SERVICE_CLOSED' })
  assert.throws(() => service.tasks, { code: 'TEST_SERVICE_CLOSED' })
  assert.throws(() => service.faults, { code: 'TEST_SERVICE_CLOSED' })
})
