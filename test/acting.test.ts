import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { asSystem, asUser } from '../src/acting.ts'
import { useConfig } from '../src/config.ts'
import {
  contextOf,
  currentCallId,
  currentContext,
  currentRequest,
  currentToken,
  currentUser,
  withContext,
} from '../src/core/context.ts'
import { generateToken, tokensOf } from '../src/tokens.ts'
import { load } from './support/config.ts'

const secret = 'a secret of this test, long enough to be one'

function service(t: TestContext, more = '') {
  return useConfig(load(t, `name: shop\njwt_secret: ${secret}\njwt_issuer: https://shop.test\n${more}`))
}

test('asUser acts for somebody else, with a token of their own, within the same call and scope', async (t) => {
  const config = service(t)
  const outer = contextOf('call-1', { sub: 'ada' })
  await withContext(outer, async () => {
    const token = await asUser({ sub: 'bob', role: 'admin' }, async () => {
      assert.deepEqual(currentUser(), { sub: 'bob', role: 'admin' })
      assert.equal(currentCallId(), 'call-1')
      assert.equal(currentContext()?.scope, outer.scope)
      assert.equal(currentRequest(), undefined)
      return currentToken()
    })
    const { user } = await tokensOf(config).verify(token ?? '')
    assert.deepEqual([user.sub, user.role, user.iss], ['bob', 'admin', 'https://shop.test'])
    assert.equal(currentUser()?.sub, 'ada')
  })
})

test('asSystem acts as the default user, or as system', async (t) => {
  service(t)
  const sub = () => withContext(contextOf('c'), () => asSystem(() => currentUser()?.sub))
  assert.equal(await sub(), 'system')
  service(t, 'default_user_id: 42\n')
  assert.equal(await sub(), '42')
})

test('what the function throws comes out, a user needs a sub, and there must be something to act in', async (t) => {
  service(t)
  const failing = () => Promise.reject(new TypeError('no'))
  await withContext(contextOf('c'), async () => {
    await assert.rejects(asUser({ sub: 'bob' }, failing), TypeError)
    await assert.rejects(
      asUser({ sub: '' }, () => 1),
      { code: 'BAD_TOKEN_OPTIONS' },
    )
  })
  await assert.rejects(
    asUser({ sub: 'bob' }, () => 1),
    { code: 'NO_CONTEXT' },
  )
})

test('a service in production without a secret acts without a token', async (t) => {
  useConfig(load(t, 'name: shop\n', { environment: { MACARON_ENV: 'production' } }))
  const token = await withContext(contextOf('c'), () => asUser({ sub: 'bob' }, () => currentToken()))
  assert.equal(token, undefined)
  await assert.rejects(generateToken({ userId: 'bob' }), { code: 'JWT_SECRET_MISSING' })
})

test('generateToken signs with the configuration of the service', async (t) => {
  const config = service(t, 'jwt_audience: shop\n')
  const token = await generateToken({ userId: 'ada', expiresIn: 60, data: { plan: 'gold' } })
  const { user } = await tokensOf(config).verify(token)
  assert.deepEqual([user.sub, user.aud, user.plan], ['ada', 'shop', 'gold'])
})
