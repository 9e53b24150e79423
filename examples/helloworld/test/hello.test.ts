import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testService } from 'macaron/testing'
import { Account, Signup } from '../apis/helloworld.gen.ts'
import { sendWelcome } from '../tasks/mail.ts'

const folder = new URL('..', import.meta.url)
const ann = { name: 'Ann', email: 'ann@example.com' }

test('says hello', async () => {
  await using service = await testService(folder)
  const reply = (await service.get('/v1/hello?name=Ann')).expect(200)
  assert.deepEqual(reply.json, { message: 'Hello, Ann!' })
})

test('a signup sends one mail, after the reply', async () => {
  await using service = await testService(folder)
  const account = (await service.as('ann').post('/v1/signup', ann)).expect(201).model(Account)
  const mail = service.tasks.firedOnce(sendWelcome)
  assert.equal(mail.id, account.mail)
  assert.deepEqual(mail.args, [new Signup(ann)])
  await service.tasks.drain()
  assert.equal((await mail.handle.status()).state, 'done')
})

test('a signup without an address is refused, and sends nothing', async () => {
  await using service = await testService(folder)
  ;(await service.as('ann').post('/v1/signup', { name: 'Ann' })).expect(400, 'INVALID_PARAMETER')
  assert.deepEqual(service.tasks.fired(), [])
})
