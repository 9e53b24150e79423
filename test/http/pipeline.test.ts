import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tokens } from '../../src/auth/tokens.ts'
import { currentRequest, currentUser } from '../../src/core/context.ts'
import { reply } from '../../src/http/reply.ts'
import { anyBody, collect, contextHere, get, post, serve } from './service.ts'

const tokens = new Tokens({ secret: 'a secret of this test, long enough to be one', audience: 'shop' })
const bearer = async (userId = 'u1') => ({ authorization: `Bearer ${await tokens.sign({ userId })}` })

test('the handler gets the body first, then one object of named parameters', async (t) => {
  const server = await serve(t, {
    'put /things/{id}': { body: anyBody, handler: (...args) => args },
    'get /things/{id}': { handler: (...args) => args },
  })
  const put = await get(server, '/things/7', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '{"a":1}',
  })
  assert.equal(put.text, '[{"a":1},{"id":"7"}]')
  assert.equal((await get(server, '/things/7')).text, '[{"id":"7"}]')
})

test('an optional body that is not sent is undefined', async (t) => {
  const handler = (...args: unknown[]) => ({ count: args.length, type: typeof args[0] })
  const server = await serve(t, { 'post /a': { body: { ...anyBody, required: false }, handler } })
  const { json } = await get(server, '/a', { method: 'POST' })
  assert.deepEqual(json, { count: 2, type: 'undefined' })
})

test('who calls is verified before anything of the request is read', async (t) => {
  let ran = 0
  const operation = { authenticated: true, body: anyBody, handler: () => void ran++ }
  const server = await serve(t, { 'post /a': operation }, { tokens, bodyLimit: 100 })
  const anonymous = await post(server, '/a', 'no JSON', { 'content-type': 'text/plain' })
  assert.equal(anonymous.status, 401)
  assert.equal(anonymous.json.error, 'AUTHORIZATION_HEADER_MISSING')
  assert.equal(anonymous.headers.get('www-authenticate'), 'Bearer')
  const malformedType = await post(server, '/a', '{}', { 'content-type': ';;;' })
  assert.equal(malformedType.status, 401)
  const large = await post(server, '/a', 'x'.repeat(1000), { authorization: 'Basic abc' })
  assert.equal(large.json.error, 'TOKEN_INVALID')
  const known = await post(server, '/a', 'x'.repeat(1000), await bearer())
  assert.equal(known.status, 413)
  assert.equal(ran, 0)
})

test('the user of a verified token is the current one, also the second time', async (t) => {
  const handler = () => ({ sub: currentUser()?.sub })
  const server = await serve(t, { 'get /me': { authenticated: true, handler } }, { tokens })
  const headers = await bearer('u7')
  for (const _ of [1, 2]) {
    assert.deepEqual((await get(server, '/me', { headers })).json, { sub: 'u7' })
  }
})

test('an operation that asks for no token looks at none', async (t) => {
  const server = await serve(
    t,
    { 'get /a': { handler: () => ({ user: currentUser() ?? null }) } },
    { tokens },
  )
  const headers = { authorization: 'Bearer expired.or.broken' }
  assert.deepEqual((await get(server, '/a', { headers })).json, { user: null })
})

test('all faults of a request are told in one 400', async (t) => {
  const faults = [
    { path: 'query.limit', message: 'must be a whole number' },
    { path: 'body.items[3].price', message: 'is missing' },
  ]
  let ran = 0
  const server = await serve(t, {
    'post /a': { body: anyBody, checks: { request: () => ({ faults }) }, handler: () => void ran++ },
  })
  const { status, json } = await post(server, '/a', {})
  assert.equal(status, 400)
  assert.equal(json.error, 'INVALID_PARAMETER')
  assert.equal(json.error_description, 'query.limit: must be a whole number; body.items[3].price: is missing')
  assert.deepEqual(json.faults, faults)
  assert.equal(ran, 0)
})

test('of very many faults a hundred are told', async (t) => {
  const faults = Array.from({ length: 5000 }, (_, n) => ({ path: `body[${n}]`, message: 'is wrong' }))
  const server = await serve(t, {
    'post /a': { body: anyBody, checks: { request: () => ({ faults }) }, handler: () => ({}) },
  })
  const { json } = await post(server, '/a', {})
  assert.ok(Array.isArray(json.faults))
  assert.equal(json.faults.length, 100)
  assert.match(String(json.error_description), /and 4900 more$/)
})

test('the query string reaches the checks as it was sent, and headers and cookies too', async (t) => {
  const seen: unknown[] = []
  const request = (raw: { query: string; headers: object; params: object }) => {
    seen.push(raw.query, { ...raw.headers })
    return { decoded: { params: {}, query: {}, named: {}, body: undefined } }
  }
  const server = await serve(t, { 'get /a': { checks: { request }, handler: () => ({}) } })
  await get(server, '/a?x=1&y=%20&x=2#never-sent', { headers: { cookie: 'a=b', 'x-own': 'c' } })
  const [query, headers] = seen
  assert.equal(query, 'x=1&y=%20&x=2')
  assert.equal(Object.entries(headers ?? {}).find(([name]) => name === 'x-own')?.[1], 'c')
})

test('checks that do not compile end the request with 500, not the server', async (t) => {
  const request = () => {
    throw new TypeError('schema is invalid: secret inside')
  }
  const server = await serve(t, {
    'get /a': { checks: { request }, handler: () => ({}) },
    'get /b': { handler: () => ({}) },
  })
  const { status, text } = await get(server, '/a')
  assert.equal(status, 500)
  assert.ok(!text.includes('secret inside'))
  assert.equal((await get(server, '/b')).status, 200)
})

test('the context holds what is known of the request', async (t) => {
  const request = () => ({
    decoded: { params: { id: 7 }, query: { deep: true }, named: { id: 7, deep: true }, body: { a: 1 } },
  })
  const server = await serve(
    t,
    {
      'post /things/{id}': { body: anyBody, checks: { request }, handler: () => ({ ...currentRequest() }) },
    },
    { contextHeaders: ['X-Tenant', 'Authorization', 'Cookie', 'x-absent'] },
  )
  const { json } = await post(server, '/things/7?deep=1', '{"a": 1}', {
    'x-tenant': 'acme',
    authorization: 'Bearer secret',
    cookie: 'token=secret',
    'user-agent': 'test/1',
    'accept-language': 'de-CH;q=0.9, en',
  })
  assert.deepEqual(json, {
    method: 'POST',
    url: '/things/7?deep=1',
    path: '/things/{id}',
    params: { id: 7 },
    query: { deep: true },
    headers: { 'x-tenant': 'acme' },
    ip: '127.0.0.1',
    userAgent: 'test/1',
    language: 'de-CH',
    body: { a: 1 },
  })
})

test('the body of the context is what was sent, whatever the handler has made of its own', async (t) => {
  const handler = (body: unknown) => {
    Object.assign(Object(body), { a: 'changed' })
    return { body: currentRequest()?.body }
  }
  const server = await serve(t, { 'post /a': { body: anyBody, handler } })
  assert.deepEqual((await post(server, '/a', { a: 1 })).json, { body: { a: 1 } })
})

test('a body over 16 KiB stays out of the context', async (t) => {
  const handler = (body: unknown) => ({ given: typeof body, kept: typeof currentRequest()?.body })
  const server = await serve(t, { 'post /a': { body: anyBody, handler } })
  const exact = `"${'x'.repeat(16 * 1024 - 2)}"`
  assert.deepEqual((await post(server, '/a', exact)).json, { given: 'string', kept: 'string' })
  assert.deepEqual((await post(server, '/a', `${exact} `)).json, { given: 'string', kept: 'undefined' })
})

test('the call id of the caller is kept where it is sane, and made otherwise', async (t) => {
  const server = await serve(t, { 'get /a': { handler: () => ({ callId: contextHere().callId }) } })
  const idOf = async (headers: Record<string, string>) => {
    const { json, headers: answered } = await get(server, '/a', { headers })
    assert.equal(answered.get('x-call-id'), json.callId)
    return json.callId
  }
  assert.equal(await idOf({ 'x-call-id': 'caller-7' }), 'caller-7')
  assert.equal(await idOf({ PymCallID: 'pym.7' }), 'pym.7')
  const uuid = /^[\da-f]{8}-/
  assert.match(String(await idOf({})), uuid)
  assert.match(String(await idOf({ 'x-call-id': 'two words' })), uuid)
  assert.match(String(await idOf({ 'x-call-id': 'x'.repeat(129) })), uuid)
  assert.match(String(await idOf({ 'x-call-id': '"}{"level":60' })), uuid)
})

test('a W3C trace is kept, a broken one is not', async (t) => {
  const server = await serve(t, { 'get /a': { handler: () => ({ trace: contextHere().trace ?? null }) } })
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  assert.deepEqual((await get(server, '/a', { headers: { traceparent } })).json, { trace: traceparent })
  assert.deepEqual((await get(server, '/a', { headers: { traceparent: 'x' } })).json, { trace: null })
})

test('concurrent requests each see their own context', async (t) => {
  const handler = async () => {
    const before = contextHere().callId
    await new Promise(setImmediate)
    return { before, after: contextHere().callId }
  }
  const server = await serve(t, { 'get /a': { handler } })
  const ids = Array.from({ length: 50 }, (_, n) => `call-${n}`)
  const replies = await Promise.all(ids.map((id) => get(server, '/a', { headers: { 'x-call-id': id } })))
  assert.deepEqual(
    replies.map(({ json }) => json),
    ids.map((id) => ({ before: id, after: id })),
  )
})

test('start and end of a request are told, with user, status, tasks and without the query', async (t) => {
  const starts = collect(t, 'request.start')
  const ends = collect(t, 'request.end')
  const server = await serve(
    t,
    { 'get /a': { authenticated: true, handler: () => reply(202, {}) } },
    { tokens },
  )
  await get(server, '/a?password=secret', { headers: { ...(await bearer('u7')), 'x-call-id': 'c7' } })
  await get(server, '/a')
  await get(server, '/nothing?password=secret')
  const common = { callId: 'c7', method: 'GET', url: '/a', userId: 'u7' }
  assert.deepEqual(starts, [common])
  assert.deepEqual(
    ends.map(({ ms: _ms, callId: _callId, ...rest }) => rest),
    [
      { method: 'GET', url: '/a', userId: 'u7', status: 202, error: undefined, tasks: 0 },
      {
        method: 'GET',
        url: '/a',
        userId: undefined,
        status: 401,
        error: 'AUTHORIZATION_HEADER_MISSING',
        tasks: 0,
      },
      { method: 'GET', url: '/nothing', userId: undefined, status: 404, error: 'NOT_FOUND', tasks: 0 },
    ],
  )
  assert.ok(ends.every(({ ms }) => ms >= 0))
})
