import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testService } from 'macaron/testing'
import { writeCard } from '../tasks/cards.ts'

const folder = new URL('..', import.meta.url)

test('says hello', async () => {
  await using service = await testService(folder)
  const reply = await service.get('/hello?name=Ada')
  assert.deepEqual(reply.expect(200).json, { message: 'Hello, Ada!' })
})

test('a card is written after the reply', async () => {
  await using service = await testService(folder)
  const reply = await service.post('/cards', { to: 'ada@example.com', text: 'Congratulations!' })
  const { id } = reply.expect(200).json
  assert.equal(service.tasks.firedOnce(writeCard).args[0].to, 'ada@example.com')

  await service.tasks.drain()
  assert.deepEqual((await service.get(`/cards/${id}`)).json, { id, state: 'done' })
})

test('a card to nobody is refused, and nothing is fired', async () => {
  await using service = await testService(folder)
  const reply = await service.post('/cards', { to: 'nobody', text: '' })
  reply.expect(400, 'INVALID_PARAMETER')
  assert.deepEqual(service.tasks.fired(), [])
})
