import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currentRequest } from '../../src/core/context.ts'
import { reply } from '../../src/http/reply.ts'
import { api3 } from '../spec/support/specs.ts'
import { collect, get, post, rawReplies, talk } from './service.ts'
import { serveApi } from './spec-service.ts'

/** What strangers send to operations of a real spec, over real connections. */

const api = () =>
  api3({
    schemas: `
Order: { type: object, required: [name, lines], properties: { name: { type: string, minLength: 2 }, count: { type: integer, maximum: 9 },
  lines: { type: array, items: { type: object, required: [sku], properties: { sku: { type: string, pattern: '^[a-z]+$' } } } },
  more: { type: object, additionalProperties: { type: string } } } }`,
    paths: `
/shops/{shop}/orders:
  post:
    operationId: order
    parameters:
      - { name: shop, in: path, required: true, schema: { type: integer } }
      - { name: dry, in: query, required: true, schema: { type: boolean } }
      - { name: filter, in: query, style: deepObject, explode: true, schema: { type: object, additionalProperties: { type: string } } }
      - { name: doc, in: query, content: { application/json: { schema: { type: object } } } }
      - { name: X-Count, in: header, schema: { type: integer } }
      - { name: X-List, in: header, schema: { type: array, items: { type: integer } } }
      - { name: session, in: cookie, schema: { type: string, maxLength: 3 } }
    requestBody:
      required: true
      content:
        application/json: { schema: { $ref: '#/components/schemas/Order' } }
        application/x-www-form-urlencoded: { schema: { $ref: '#/components/schemas/Order' } }
        multipart/form-data: { schema: { $ref: '#/components/schemas/Order' } }
    responses: { 200: { description: ok } }
/headers: { get: { operationId: headers, responses: { 200: { description: ok } } } }`,
  })

const usual = (...args: readonly unknown[]) => ({ args })

test('faults of path, query, header, cookie and body are told in one 400, each with its place and its rule', async (t) => {
  const server = await serveApi(t, api(), { usual })
  const body = { name: 'x', count: 10, lines: [{ sku: 'ok' }, { sku: 'NOT' }, {}] }
  const { status, json } = await post(server, '/shops/first/orders?dry=perhaps', body, {
    'x-count': 'many',
    cookie: 'session=abcd',
  })
  assert.equal(status, 400)
  assert.equal(json.error, 'INVALID_PARAMETER')
  assert.deepEqual(json.faults, [
    { path: 'path.shop', message: 'must be a whole number, not "first"' },
    { path: 'query.dry', message: 'must be true or false, not "perhaps"' },
    { path: 'header.X-Count', message: 'must be a whole number, not "many"' },
    { path: 'cookie.session', message: 'must have at most 3 characters' },
    { path: 'body.name', message: 'must have at least 2 characters' },
    { path: 'body.count', message: 'must be at most 9, not 10' },
    { path: 'body.lines[1].sku', message: 'must match /^[a-z]+$/, not "NOT"' },
    { path: 'body.lines[2].sku', message: 'is required' },
  ])
  const { error_description } = json
  for (const { path, message } of Object(json.faults))
    assert.ok(String(error_description).includes(`${path}: ${message}`))
})

const order = JSON.stringify({ name: 'Ada', lines: [] })

/** A request over a socket of its own: headers may be there twice, and be wrong. */
function raw(path: string, headers: readonly string[], body = order): string {
  const lines = [
    `POST ${path} HTTP/1.1`,
    'host: a',
    'connection: close',
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return `${[...lines, ...headers].join('\r\n')}\r\n\r\n${body}`
}

const json = 'content-type: application/json'
const good = '/shops/1/orders?dry=true'

const twice: readonly (readonly [what: string, headers: readonly string[], status: number, told: RegExp])[] =
  [
    ['a list', [json, 'x-list: 1', 'X-List: 2'], 200, /"X-List":\[1,2\]/],
    ['a number', [json, 'x-count: 1', 'x-count: 2'], 400, /header\.X-Count: must be a whole number/],
    ['a cookie', [json, 'cookie: session=a', 'cookie: session=b'], 400, /cookie\.session: /],
    ['the type of its body', [json, 'content-type: text/csv'], 200, /Ada/],
    ['the type of its body, the wrong one first', ['content-type: text/csv', json], 415, /UNSUPPORTED/],
    ['its call id', [json, 'x-call-id: a', 'x-call-id: b'], 200, /Ada/],
    ['its length', [json, 'content-length: 3'], 400, /BAD_HTTP/],
    [
      'that it comes in chunks, beside its length',
      [json, 'transfer-encoding: chunked', 'transfer-encoding: chunked'],
      400,
      /BAD_HTTP/,
    ],
  ]

for (const [what, headers, status, told] of twice) {
  test(`a request that says twice ${what} gets ${status}`, async (t) => {
    const server = await serveApi(t, api(), { usual })
    const text = await talk(server, raw(good, headers))
    assert.equal(rawReplies(text)[0]?.status, status, text)
    assert.match(text, told)
    assert.equal((await post(server, good, order)).status, 200)
  })
}

const evil = 'a\r\nset-cookie: admin=1\r\n\r\n<script>'

const injections: Readonly<Record<string, () => unknown>> = {
  'a value': () => reply(200, {}, { 'x-name': evil }),
  'one of several values': () => reply(200, {}, { 'x-name': ['a', evil] }),
  'a name': () => reply(200, {}, { [evil]: 'a' }),
  'a bare line feed': () => reply(200, {}, { 'x-name': 'a\nset-cookie: admin=1' }),
  'a NUL': () => reply(200, {}, { 'x-name': 'a\0b' }),
  'a type': () => reply(200, 'text', { 'content-type': `text/plain${evil}` }),
  'a place to go to': () => reply(303, undefined, { location: `/next?name=${evil}` }),
  'what it changed afterwards': () => {
    const changed = reply(200, {}, { 'x-name': 'a' })
    Object.assign(changed.headers, { 'x-name': evil })
    return changed
  },
  'what it put into a list afterwards': () => {
    const values = ['a']
    const changed = reply(200, {}, { 'x-name': values })
    Object.assign(changed.headers['x-name'] ?? [], { 1: evil })
    return changed
  },
  'letters beyond Latin-1': () => reply(200, {}, { 'x-name': '日本' }),
}

for (const [what, handler] of Object.entries(injections)) {
  test(`a handler that would put a line break into a header by ${what} gets a clean 500`, async (t) => {
    const crashes = collect(t, 'request.crash')
    const server = await serveApi(t, api(), { headers: handler })
    const text = await talk(server, 'GET /headers HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    const [first, ...others] = rawReplies(text)
    assert.equal(first?.status, 500, text)
    assert.equal(others.length, 0)
    assert.equal(first?.json.status, 500)
    assert.doesNotMatch(text, /set-cookie|<script/i)
    assert.equal(crashes.length, 1)
    assert.equal((await get(server, '/ping')).status, 200)
  })
}

test('an own error, its code and its texts are no way into a header either', async (t) => {
  const server = await serveApi(t, api(), {
    headers: () => {
      throw Object.assign(new Error(evil), { statusCode: 418, headers: { 'x-name': evil } })
    },
  })
  const text = await talk(
    server,
    'GET /headers HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-call-id: a\tb\r\n\r\n',
  )
  assert.equal(rawReplies(text)[0]?.status, 500)
  assert.doesNotMatch(text.split('\r\n\r\n', 1)[0] ?? '', /set-cookie/i)
})

const rubbish: readonly (readonly [path: string, status: number])[] = [
  ['/shops/%zz/orders?dry=true', 400],
  ['/shops/1/orders?dry=%zz', 400],
  ['/shops/1/orders?dry=true&filter[a]=%zz', 400],
  ['/shops/1/orders?dry=true&filter[%zz]=a', 200],
  ['/shops/1/orders?dry=true&doc=%zz', 400],
  ['/shops/1/orders?dry=true&%ff%fe=1', 200],
  ['/shops/1/orders?dry=%E0%A4%A', 400],
  ['/shops/1/orders?dry=true&%', 200],
  ['/shops/1/orders?dry=true%00', 400],
  ['/shops/1/orders?dry=true&dry=false', 400],
  ['/shops/1/orders?dry=true#fragment', 200],
]

for (const [path, status] of rubbish) {
  test(`${path} gets ${status}`, async (t) => {
    const server = await serveApi(t, api(), { usual })
    const text = await talk(server, raw(path, [json]))
    assert.equal(rawReplies(text)[0]?.status, status, text)
  })
}

const form = 'content-type: application/x-www-form-urlencoded'
const multipart = 'content-type: multipart/form-data; boundary=b'
const part = (name: string, value: string) =>
  `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`

const prototypes: readonly (readonly [
  what: string,
  path: string,
  headers: readonly string[],
  body: string,
])[] = [
  ['a query', `${good}&__proto__=x&__proto__[admin]=x&constructor[prototype][admin]=x`, [json], order],
  [
    'a deep object',
    `${good}&filter[__proto__][admin]=x&filter[a][__proto__]=x&filter[constructor]=x`,
    [json],
    order,
  ],
  ['an encoded name', `${good}&filter[%5f_proto__]=x&%5f%5fproto__[admin]=x`, [json], order],
  ['a document in a query', `${good}&doc=%7B%22__proto__%22%3A%7B%22admin%22%3A1%7D%7D`, [json], order],
  ['a cookie', good, [json, 'cookie: __proto__=x; session=a'], order],
  ['a header', good, [json, '__proto__: x', 'constructor: x'], order],
  ['a body', good, [json], '{"name":"Ada","lines":[],"__proto__":{"admin":1}}'],
  ['a nested body', good, [json], '{"name":"Ada","lines":[{"sku":"a","__proto__":{"admin":1}}]}'],
  ['a map', good, [json], '{"name":"Ada","lines":[],"more":{"__proto__":"x"}}'],
  ['a form', good, [form], 'name=Ada&lines=%5B%5D&__proto__[admin]=x&__proto__=x&more[__proto__]=x'],
  [
    'a multipart form',
    good,
    [multipart],
    `${part('name', 'Ada')}${part('__proto__', 'x')}${part('more[__proto__]', 'x')}--b--`,
  ],
  [
    'a document in a form',
    good,
    [multipart],
    `${part('name', 'Ada')}${part('more', '{"__proto__":{"admin":1}}')}--b--`,
  ],
]

for (const [what, path, headers, body] of prototypes) {
  test(`__proto__ in ${what} reaches no prototype, neither of what the handler gets nor of what it copies`, async (t) => {
    let polluted: unknown[] = []
    const look = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return
      const copy = Object.assign({}, value)
      if ('admin' in copy || Object.hasOwn(value, '__proto__')) polluted.push(value)
      for (const inner of Object.values(value)) look(inner)
    }
    const server = await serveApi(t, api(), {
      order: (...args) => {
        polluted = []
        look(args)
        look(currentRequest())
        return {}
      },
    })
    const text = await talk(server, raw(path, headers, body))
    assert.ok([200, 400].includes(rawReplies(text)[0]?.status ?? 0), text)
    assert.deepEqual(polluted, [])
    assert.equal(Reflect.get({}, 'admin'), undefined)
  })
}
