import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openHttp } from '../../src/http/server.ts'
import { anyBody, get, httpOptions, post, serve } from './service.ts'

const echo = { handler: (named: unknown) => ({ named }) }

test('path parameters of any name reach the handler by that name, decoded', async (t) => {
  const server = await serve(t, { 'get /accounts/{account-id}/things/{x.y[0]}': echo })
  const { json } = await get(server, '/accounts/a%2Fb%20%C3%A9/things/1%2B2')
  assert.deepEqual(json, { named: { 'account-id': 'a/b é', 'x.y[0]': '1+2' } })
})

test('templates with colons, dots, dashes and several parameters in a segment are told apart', async (t) => {
  const server = await serve(t, {
    'get /files/{id}': { handler: () => 'plain' },
    'get /files/{id}:cancel': { handler: () => 'cancel' },
    'get /files/{id}:retry': { handler: () => 'retry' },
    'get /files/{name}.{ending}': { handler: () => 'dotted' },
    'get /files/{from}-{to}/range': { handler: () => 'range' },
    'get /files/special': { handler: () => 'literal' },
    "get /odata/Products('{key}')": { handler: () => 'quoted' },
    'get /star/*/{id}': { handler: () => 'star' },
    'get /caf%C3%A9/{id}': { handler: () => 'unicode' },
  })
  const seen = async (path: string) => (await get(server, path)).text
  assert.equal(await seen('/files/a1'), '"plain"')
  assert.equal(await seen('/files/a1:cancel'), '"cancel"')
  assert.equal(await seen('/files/a1:retry'), '"retry"')
  assert.equal(await seen('/files/report.pdf'), '"dotted"')
  assert.equal(await seen('/files/1-9/range'), '"range"')
  assert.equal(await seen('/files/special'), '"literal"')
  assert.equal(await seen("/odata/Products('42')"), '"quoted"')
  assert.equal(await seen('/star/*/7'), '"star"')
  assert.equal((await get(server, '/star/x/7')).status, 404)
  assert.equal(await seen('/caf%C3%A9/1'), '"unicode"')
})

test('a parameter is never empty and never spans a slash', async (t) => {
  const server = await serve(t, { 'get /accounts/{id}': echo })
  assert.equal((await get(server, '/accounts/')).status, 404)
  assert.equal((await get(server, '/accounts/a/b')).status, 404)
})

test('parameters are long enough for any id, and one that is absurdly long gets 414', async (t) => {
  const server = await serve(t, { 'get /accounts/{id}': echo })
  assert.equal((await get(server, `/accounts/${'x'.repeat(2000)}`)).status, 200)
  const { status, json } = await get(server, `/accounts/${'x'.repeat(3000)}`)
  assert.equal(status, 414)
  assert.equal(json.error, 'URL_TOO_LONG')
})

test('an unknown path gets 404 NOT_FOUND as JSON', async (t) => {
  const server = await serve(t, { 'get /known': echo })
  const { status, json, headers } = await get(server, '/unknown?token=secret')
  assert.equal(status, 404)
  assert.equal(json.error, 'NOT_FOUND')
  assert.equal(json.status, 404)
  assert.match(String(json.error_description), /\/unknown$/)
  assert.ok(json.error_id)
  assert.match(headers.get('content-type') ?? '', /^application\/json/)
})

test('a known path with another method gets 405 and the methods it has, in every template that matches', async (t) => {
  const server = await serve(t, {
    'get /things/{id}': echo,
    'put /things/{other}': echo,
    'delete /things/special': echo,
  })
  const { status, json, headers } = await post(server, '/things/special', {})
  assert.equal(status, 405)
  assert.equal(json.error, 'METHOD_NOT_ALLOWED')
  assert.deepEqual(headers.get('allow')?.split(', ').sort(), ['DELETE', 'GET', 'PUT'])
  assert.equal((await get(server, '/things/1', { method: 'HEAD' })).status, 405)
})

test('a method that no server of ours knows is refused, on known and unknown paths', async (t) => {
  const server = await serve(t, { 'get /things': echo })
  assert.equal((await get(server, '/things', { method: 'PROPFIND' })).status, 405)
  assert.equal((await get(server, '/nothing', { method: 'PROPFIND' })).status, 404)
})

test('OPTIONS tells the methods of a path, unless the spec has its own', async (t) => {
  const server = await serve(t, { 'get /a': echo, 'options /b': { handler: () => 'own' } })
  const { status, headers, text } = await get(server, '/a', { method: 'OPTIONS' })
  assert.equal(status, 204)
  assert.equal(headers.get('allow'), 'GET, OPTIONS')
  assert.equal(text, '')
  assert.equal((await get(server, '/b', { method: 'OPTIONS' })).text, '"own"')
  assert.equal((await get(server, '/c', { method: 'OPTIONS' })).status, 404)
})

test('HEAD is served where the spec declares it, beside GET', async (t) => {
  const server = await serve(t, { 'get /a': echo, 'head /a': { handler: () => ({ long: 'body' }) } })
  const { status, text } = await get(server, '/a', { method: 'HEAD' })
  assert.equal(status, 200)
  assert.equal(text, '')
})

test('a path made to be slow to match is not', async (t) => {
  const server = await serve(t, { 'get /x/{a}-{b}-{c}.json': echo })
  const started = performance.now()
  for (const length of [2000, 4000, 15_000]) {
    const { status } = await get(server, `/x/${'-'.repeat(length)}`, { method: 'POST' })
    assert.ok([404, 414].includes(status), String(status))
    assert.ok([404, 414].includes((await get(server, `/x/${'-'.repeat(length)}`)).status))
  }
  assert.ok(performance.now() - started < 5000)
})

test('an operation without binding is not served', async (t) => {
  const options = httpOptions({ 'get /a': echo, 'get /b': echo })
  const [first] = options.bindings.keys()
  const server = await openHttp({
    ...options,
    bindings: new Map([...options.bindings].filter(([key]) => key === first)),
  })
  t.after(() => server.stop())
  assert.equal((await get(server, '/a')).status, 200)
  assert.equal((await get(server, '/b')).status, 404)
})

test('an authenticated operation without a secret to verify tokens is refused at start', async () => {
  const options = httpOptions({ 'get /a': { ...echo, authenticated: true } })
  await assert.rejects(openHttp(options), { code: 'JWT_SECRET_MISSING' })
})

test('a port in use is told as such', async (t) => {
  const server = await serve(t, { 'get /a': echo })
  const second = openHttp(httpOptions({ 'get /a': echo }, { port: server.address.port }))
  await assert.rejects(second, {
    code: 'PORT_IN_USE',
    message: new RegExp(`Port ${server.address.port} is in use`),
  })
})

test('an address of another machine is told as such', async () => {
  await assert.rejects(openHttp(httpOptions({}, { host: '192.0.2.1' })), { code: 'LISTEN_FAILED' })
})

test('an operation without body does not read one', async (t) => {
  const server = await serve(t, { 'post /a': { handler: (...args: unknown[]) => ({ count: args.length }) } })
  const { status, json } = await post(server, '/a', 'this is no JSON')
  assert.equal(status, 200)
  assert.deepEqual(json, { count: 1 })
})

test('a service can serve thousands of operations', async (t) => {
  const many = Object.fromEntries(
    Array.from({ length: 2000 }, (_, n) => [
      `post /group${n % 50}/item${n}/{id}`,
      { ...echo, body: anyBody },
    ]),
  )
  const server = await serve(t, { ...many })
  assert.equal((await post(server, '/group7/item1957/x', {})).status, 200)
  assert.equal((await get(server, '/group7/item1957/x')).status, 405)
})
