import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { testService } from 'macaron/testing'
import { provider } from '../mail/provider.ts'
import { deliver } from '../tasks/mail.ts'

const folder = new URL('..', import.meta.url)
const issue = { subject: 'News', text: 'None', readers: ['ada@example.com', 'grace@example.com'] }

beforeEach(() => {
  provider.sent.clear()
  Object.assign(provider, { slowness: 0, failures: 0 })
})

test('every reader gets one mail, in the name of who has published', async () => {
  await using service = await testService(folder)
  const reply = await service.as('editor').post('/issues', issue)
  reply.expect(200)
  await service.tasks.drain()
  const mails = [...provider.sent.values()].map(({ from, to }) => `${from} → ${to}`)
  assert.deepEqual(mails.sort(), ['editor → ada@example.com', 'editor → grace@example.com'])
})

test('a provider that is down is tried again later, and again', async () => {
  await using service = await testService(folder)
  await service.as('editor').post('/issues', { ...issue, readers: ['ada@example.com'] })
  await service.tasks.runNext()
  provider.failures = 1
  for (let tries = 1; tries <= 3; tries++) {
    const run = await service.tasks.runNext()
    assert.equal(run?.outcome, 'retry')
    await service.clock.advanceTo(run.runAt)
  }
  provider.failures = 0
  await service.tasks.drain()
  assert.equal(provider.sent.size, 1)
})

test('a crash after a mail was sent sends it again, and the provider knows it', async () => {
  await using service = await testService(folder)
  service.faults.crash({ after: 'ran', task: deliver })
  await service.as('editor').post('/issues', issue)
  await service.tasks.drain()
  assert.equal(provider.sent.size, 2)
})

test('without a token nothing is published', async () => {
  await using service = await testService(folder)
  const reply = await service.post('/issues', issue)
  reply.expect(401)
  assert.deepEqual(service.tasks.fired(), [])
})
