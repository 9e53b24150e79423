import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reply } from '../../src/http/reply.ts'
import { collect, get, type Received, serve, type TestOperation } from './service.ts'

type Replies = NonNullable<TestOperation['replies']>

const cases: readonly (readonly [string, Replies, unknown, number, string])[] = [
  ['an object', {}, { a: 1 }, 200, '{"a":1}'],
  ['an array', {}, [1, 2], 200, '[1,2]'],
  ['a text', {}, 'hello', 200, '"hello"'],
  ['a number', {}, 0, 200, '0'],
  ['false', {}, false, 200, 'false'],
  ['null', {}, null, 200, 'null'],
  ['a Date inside', {}, { at: new Date(0) }, 200, '{"at":"1970-01-01T00:00:00.000Z"}'],
  ['nothing', {}, undefined, 200, '{}'],
  ['nothing, where 204 is declared', { 204: undefined }, undefined, 204, ''],
  ['nothing, where 200 and 204 are declared', { 200: true, 204: undefined }, undefined, 204, ''],
  ['an object, where 200 and 204 are declared', { 200: true, 204: undefined }, {}, 200, '{}'],
  ['an object, where 201 alone is declared', { 201: true, 400: true }, { id: 1 }, 201, '{"id":1}'],
  ['nothing, where 201 alone is declared', { 201: true }, undefined, 201, '{}'],
  ['an object, where 200 and 201 are declared', { 200: true, 201: true }, {}, 200, '{}'],
]

for (const [what, replies, result, status, text] of cases) {
  test(`${what} becomes ${status} ${text}`, async (t) => {
    const server = await serve(t, {
      'get /a': { replies, checks: { reply: () => [] }, handler: () => result },
    })
    const received = await get(server, '/a')
    assert.equal(received.status, status)
    assert.equal(received.text, text)
    if (status !== 204) assert.equal(received.headers.get('content-type'), 'application/json; charset=utf-8')
  })
}

test('a model is written by its own toJSON', async (t) => {
  class Ok {
    readonly #status = 'ok'
    toJSON() {
      return { status: this.#status }
    }
  }
  const server = await serve(t, { 'get /a': { handler: async () => new Ok() } })
  assert.equal((await get(server, '/a')).text, '{"status":"ok"}')
})

test('reply() sets status, body and headers', async (t) => {
  const handler = () => reply(202, { queued: true }, { 'X-Own': 'yes', 'set-cookie': ['a=1', 'b=2'] })
  const server = await serve(t, { 'get /a': { handler } })
  const { status, json, headers } = await get(server, '/a')
  assert.equal(status, 202)
  assert.deepEqual(json, { queued: true })
  assert.equal(headers.get('x-own'), 'yes')
  assert.deepEqual(headers.getSetCookie(), ['a=1', 'b=2'])
})

test('replies are the same whether or not the service has hooks that may look at them', async (t) => {
  const replies = {
    plain: () => ({ a: 'ä€🙈', empty: '' }),
    nothing: () => undefined,
    gone: () => reply(410, { gone: true }, { 'retry-after': '7' }),
    'own-headers': () => reply(202, [1], { 'X-Own': 'yes', 'set-cookie': ['a=1', 'b=2'], vary: ['a', 'b'] }),
    'own-call-id': () => reply(200, {}, { 'x-call-id': 'mine' }),
    'own-type': () => reply(200, { a: 1 }, { 'content-type': 'application/problem+json' }),
    'no-content': () => reply(204, undefined, { 'x-own': 'yes' }),
    reset: () => reply(205, undefined),
    unchanged: () => reply(304, undefined, { etag: '"1"' }),
    long: () => 'ä'.repeat(100_000),
    crash: () => {
      throw new Error('no')
    },
  }
  const operations = Object.fromEntries(
    Object.entries(replies).flatMap(([name, handler]) =>
      ['get', 'head', 'post'].map((method) => [`${method} /${name}`, { handler }]),
    ),
  )
  const hook = { file: 'service.ts', register: () => undefined }
  const bare = await serve(t, operations)
  const hooked = await serve(t, operations, { plugins: hook })
  for (const name of Object.keys(replies)) {
    for (const method of ['GET', 'HEAD', 'POST']) {
      const headers = { 'x-call-id': `call-${name}` }
      const [one, other] = [
        await get(bare, `/${name}`, { method, headers }),
        await get(hooked, `/${name}`, { method, headers }),
      ]
      assert.deepEqual(shownOf(one), shownOf(other), `${method} /${name}`)
    }
  }
})

function shownOf({ status, headers, text }: Received) {
  const lines = [...headers].filter(([name]) => name !== 'date').toSorted()
  return { status, lines, cookies: headers.getSetCookie(), text: text.replaceAll(/[0-9a-f-]{36}/g, 'ID') }
}

test('reply() with a type of its own sends text and bytes as they are', async (t) => {
  const server = await serve(t, {
    'get /html': { handler: () => reply(200, '<p>hi</p>', { 'content-type': 'text/html' }) },
    'get /bytes': { handler: () => reply(200, new Uint8Array([1, 2, 255]), { 'content-type': 'image/x' }) },
    'get /object': { handler: () => reply(200, { a: 1 }, { 'content-type': 'text/html' }) },
  })
  const html = await get(server, '/html')
  assert.equal(html.text, '<p>hi</p>')
  assert.equal(html.headers.get('content-type'), 'text/html')
  const bytes = await (await fetch(`${server.address.url}/bytes`)).bytes()
  assert.deepEqual([...bytes], [1, 2, 255])
  assert.equal((await get(server, '/object')).json.error, 'BAD_REPLY')
})

test('a redirection needs no body', async (t) => {
  const handler = () => reply(303, undefined, { location: '/b' })
  const server = await serve(t, { 'get /a': { handler } })
  const { status, text, headers } = await get(server, '/a', { redirect: 'manual' })
  assert.equal(status, 303)
  assert.equal(headers.get('location'), '/b')
  assert.equal(text, '')
})

for (const [what, make] of [
  ['a status that is none', () => reply(42)],
  ['a status of 1xx', () => reply(101)],
  ['a header with a line break', () => reply(200, {}, { 'x-own': 'a\r\nset-cookie: b' })],
  ['a header name that is none', () => reply(200, {}, { 'x own': 'a' })],
  ['a header that frames the message', () => reply(200, {}, { 'Content-Length': '3' })],
] as const) {
  test(`reply() refuses ${what}`, async (t) => {
    assert.throws(make, { code: 'BAD_REPLY' })
    const server = await serve(t, { 'get /a': { handler: make } })
    assert.equal((await get(server, '/a')).status, 500)
  })
}

test('a result that JSON cannot hold is a BAD_RESPONSE', async (t) => {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  const server = await serve(t, {
    'get /bigint': { handler: () => ({ n: 1n }) },
    'get /circle': { handler: () => circle },
    'get /function': { handler: () => () => 1 },
  })
  for (const path of ['/bigint', '/circle', '/function']) {
    const { status, json } = await get(server, path)
    assert.equal(status, 500)
    assert.equal(json.error, 'BAD_RESPONSE')
  }
})

const mismatch = [{ path: 'body.id', message: 'must be a whole number' }]

test('a reply that is not what the spec declares is refused and told', async (t) => {
  const told = collect(t, 'reply.mismatch')
  const operation = {
    replies: { 200: true },
    checks: { reply: () => mismatch },
    handler: () => ({ id: 'x' }),
  }
  const server = await serve(t, { 'get /a': operation })
  const { status, json } = await get(server, '/a', { headers: { 'x-call-id': 'c1' } })
  assert.equal(status, 500)
  assert.equal(json.error, 'BAD_RESPONSE')
  const faults = ['body.id: must be a whole number']
  assert.deepEqual(told, [{ callId: 'c1', userId: undefined, operation: 'GET /a', status: 200, faults }])
})

test('in production the caller is not told what is wrong with a reply', async (t) => {
  const operation = { checks: { reply: () => mismatch }, handler: () => ({}) }
  const server = await serve(t, { 'get /a': operation }, { production: true })
  assert.ok(!(await get(server, '/a')).text.includes('whole number'))
})

test('a reply that is not what the spec declares is sent and told with replyCheck log', async (t) => {
  const told = collect(t, 'reply.mismatch')
  const operation = { checks: { reply: () => mismatch }, handler: () => ({ id: 'x' }) }
  const server = await serve(t, { 'get /a': operation }, { replyCheck: 'log' })
  assert.deepEqual((await get(server, '/a')).json, { id: 'x' })
  assert.equal(told.length, 1)
})

test('replies are not looked at with replyCheck off', async (t) => {
  const check = () => {
    throw new TypeError('must not be asked')
  }
  const server = await serve(
    t,
    { 'get /a': { checks: { reply: check }, handler: () => ({}) } },
    { replyCheck: 'off' },
  )
  assert.equal((await get(server, '/a')).status, 200)
})

test('a success that is not declared is refused, an error or a redirection is not', async (t) => {
  const replies = { 200: true }
  const server = await serve(t, {
    'get /accepted': { replies, handler: () => reply(202, {}) },
    'get /teapot': { replies, handler: () => reply(418, { short: true }) },
    'get /moved': { replies, handler: () => reply(301, undefined, { location: '/' }) },
    'get /silent': { replies: {}, handler: () => reply(202, {}) },
  })
  const accepted = await get(server, '/accepted')
  assert.equal(accepted.json.error, 'BAD_RESPONSE')
  assert.match(String(accepted.json.error_description), /declares no reply with status 202/)
  assert.equal((await get(server, '/teapot')).status, 418)
  assert.equal((await get(server, '/moved', { redirect: 'manual' })).status, 301)
  assert.equal((await get(server, '/silent')).status, 202)
})

test('a body with 204 is refused rather than swallowed', async (t) => {
  const server = await serve(t, {
    'get /a': { replies: { 204: undefined }, handler: () => reply(204, { a: 1 }) },
  })
  assert.equal((await get(server, '/a')).json.error, 'BAD_RESPONSE')
})
