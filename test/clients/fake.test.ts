import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FakedClient, fakeClient } from '../../src/clients/fake.ts'
import { RequestError } from '../../src/core/errors.ts'
import { reply } from '../../src/http/reply.ts'
import { ada, errorOf, loginAt } from './setup.ts'

// No generated file declares a client here, so the types know none.
const fake = fakeClient as unknown as (
  name: string,
  answers: Readonly<Record<string, (...args: never[]) => unknown>>,
) => FakedClient

const nowhere = 'http://login.invalid/gateway'

test('a fake answers as the other service would: what it gets is read by the spec, what it gives becomes models', async () => {
  const login = loginAt(nowhere)
  const since = new Date('2026-11-25T10:00:00Z')
  using faked = fake('login', {
    getUser: ({ id }: { id: string }) => ({ name: id, born: '1815-12-10T00:00:00Z' }),
    replaceUser: (body: { born: Date }) => (body.born instanceof Date ? undefined : ada),
    addUser: async (body: object) => body,
  })
  const user = await login.getUser(
    { id: 'ä/7', since, fields: ['a', 'b'], session: 's' },
    { headers: { 'x-a': '1' } },
  )
  assert.deepEqual({ ...user }, { name: 'ä/7', born: new Date('1815-12-10T00:00:00Z') })
  assert.equal(await login.replaceUser({ name: 'Ada', born: new Date() }, { id: '7' }), undefined)
  const added = await login.addUser.reply({ name: 'Bo', born: new Date(0) })
  assert.equal(added.status, 201)
  assert.deepEqual({ ...added.body }, { name: 'Bo', born: new Date(0) })
  const [call] = faked.calls
  assert.equal(call?.operation, 'getUser')
  assert.deepEqual(call?.parameters, { id: 'ä/7', since, fields: ['a', 'b'], session: 's' })
  assert.equal(call?.headers['x-a'], '1')
  assert.equal(faked.calls.length, 3)
})

test('what a fake throws is an error reply, reply() is a reply of its own, and what never comes is a timeout', async () => {
  const login = loginAt(nowhere)
  using _ = fake('login', {
    getUser: () => {
      throw new RequestError('NO_USER', 'There is none', { status: 404, userMessage: 'Who?' })
    },
    addUser: () => reply(429, { error: 'SLOW_DOWN' }, { 'Retry-After': '1' }),
    replaceUser: () => new Promise(() => undefined),
  })
  const error = await errorOf(login.getUser({ id: '7' }))
  assert.deepEqual(
    [error.status, error.code, error.userMessage, typeof error.errorId],
    [404, 'NO_USER', 'Who?', 'string'],
  )
  assert.equal((await errorOf(login.addUser(undefined))).code, 'SLOW_DOWN')
  const never = login.replaceUser({ name: 'Ada', born: new Date() }, { id: '7' }, { timeout: 20 })
  assert.equal((await errorOf(never)).code, 'CLIENT_TIMEOUT')
})

test("an answer that the spec does not allow fails, also where replies aren't checked otherwise", async () => {
  const login = loginAt(nowhere, { replyCheck: 'off' })
  using _ = fake('login', { getUser: () => ({ name: 7 }) })
  assert.match((await errorOf(login.getUser({ id: '7' }))).message, /body\.born is required/)
})

test('an operation without an answer, and an assertion in an answer, fail the test; a restored client has its network again', async () => {
  const login = loginAt(nowhere)
  {
    using _ = fake('login', { getUser: () => assert.equal(1, 2) })
    assert.equal((await errorOf(login.addUser(undefined))).code, 'CLIENT_NOT_FAKED')
    assert.ok((await errorOf(login.getUser({ id: '7' }))) instanceof assert.AssertionError)
  }
  const error = await errorOf(login.addUser(undefined, { timeout: '3s' }))
  assert.match(String(error.code), /CLIENT_UNREACHABLE|CLIENT_TIMEOUT/)
})
