import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { currentUser } from '../../src/core/context.ts'
import { StoreError } from '../../src/core/errors.ts'
import type { UploadedFile } from '../../src/core/uploaded-file.ts'
import { reply } from '../../src/http/reply.ts'
import { api2, api3 } from '../spec/support/specs.ts'
import { until } from '../support/until.ts'
import { collect, contextHere, get, serve, stage } from './service.ts'
import { serveApi } from './spec-service.ts'

const media = (...types: readonly string[]) =>
  `{ 200: { description: ok, content: { ${types.map((type) => `'${type}': { schema: { type: string } }`).join(', ')} } } }`

const api = () =>
  api3({
    paths: [
      `/text: { get: { operationId: text, responses: ${media('text/plain')} } }`,
      `/html: { get: { operationId: html, responses: ${media('text/html')} } }`,
      `/png: { get: { operationId: png, responses: ${media('image/png')} } }`,
      `/image: { get: { operationId: image, responses: ${media('image/*')} } }`,
      `/both: { get: { operationId: both, responses: ${media('application/json', 'text/csv')} } }`,
      `/json: { get: { operationId: json, responses: ${media('application/json')} } }`,
      `/vendor: { get: { operationId: vendor, responses: ${media('application/vnd.shop.v2+json')} } }`,
      '/open: { get: { operationId: open, responses: { 200: { description: ok } } } }',
      `/none: { get: { operationId: none, responses: { 204: { description: no }, ${media('text/plain').slice(1)} } }`,
    ].join('\n'),
  })

const bytes = Buffer.from([1, 2, 255])
const stream = () => Readable.from([Buffer.from([1, 2]), Buffer.from([255])])

const cases: readonly (readonly [string, string, unknown, number, string, string | Buffer])[] = [
  ['a text', '/text', 'grüezi', 200, 'text/plain; charset=utf-8', 'grüezi'],
  ['an empty text', '/text', '', 200, 'text/plain; charset=utf-8', ''],
  ['a number', '/text', 0, 200, 'text/plain; charset=utf-8', '0'],
  ['false', '/text', false, 200, 'text/plain; charset=utf-8', 'false'],
  ['a page', '/html', '<p>', 200, 'text/html; charset=utf-8', '<p>'],
  ['bytes', '/png', bytes, 200, 'image/png', bytes],
  ['a stream', '/png', stream(), 200, 'image/png', bytes],
  ['a web stream', '/png', new Blob([bytes]).stream(), 200, 'image/png', bytes],
  ['a text where JSON is declared too', '/both', 'a,b', 200, 'application/json; charset=utf-8', '"a,b"'],
  ['bytes where JSON is declared too', '/both', Buffer.from('a,b'), 200, 'text/csv; charset=utf-8', 'a,b'],
  [
    'a text of a type of its own',
    '/both',
    reply(200, 'a,b', { 'content-type': 'text/csv' }),
    200,
    'text/csv',
    'a,b',
  ],
  ['bytes of a range', '/image', reply(200, bytes, { 'content-type': 'image/gif' }), 200, 'image/gif', bytes],
  ['a JSON of the vendor', '/vendor', 'x', 200, 'application/vnd.shop.v2+json; charset=utf-8', '"x"'],
  ['bytes where nothing is declared', '/open', bytes, 200, 'application/octet-stream', bytes],
  ['a stream with headers', '/png', reply(200, stream(), { 'x-a': '1' }), 200, 'image/png', bytes],
  ['nothing, where 204 is declared', '/none', undefined, 204, '', ''],
  [
    'an error of another form',
    '/text',
    reply(404, { a: 1 }),
    404,
    'application/json; charset=utf-8',
    '{"a":1}',
  ],
]

test('texts, bytes and streams are sent as the type that is declared', async (t) => {
  let result: unknown
  const server = await serveApi(t, api(), { usual: () => result })
  for (const [what, path, given, status, type, body] of cases) {
    result = given
    const response = await fetch(server.address.url + path)
    assert.deepEqual([response.status, response.headers.get('content-type') ?? ''], [status, type], what)
    assert.deepEqual(Buffer.from(await response.bytes()), Buffer.from(body), what)
  }
})

const wrong: readonly (readonly [string, string, unknown, string, RegExp])[] = [
  ['an object as text', '/text', { a: 1 }, 'BAD_REPLY', /must be text, bytes or a stream/],
  ['null as text', '/text', null, 'BAD_REPLY', /must be text, bytes or a stream/],
  [
    'bytes as JSON',
    '/json',
    bytes,
    'BAD_RESPONSE',
    /declares a body of type application\/json for status 200/,
  ],
  ['a stream as JSON', '/json', stream(), 'BAD_RESPONSE', /not application\/octet-stream/],
  ['bytes of no type in a range', '/image', bytes, 'BAD_RESPONSE', /of type image\/\*.*content-type/],
  [
    'a type that is not declared',
    '/text',
    reply(200, 'x', { 'content-type': 'text/html' }),
    'BAD_RESPONSE',
    /not text\/html/,
  ],
  [
    'a status that is not declared',
    '/text',
    reply(201, 'x', { 'content-type': 'text/plain' }),
    'BAD_RESPONSE',
    /no reply with status 201/,
  ],
  ['a body with 304', '/json', reply(304, 'x'), 'BAD_RESPONSE', /304 is a reply without a body/],
]

test('a reply of a type that is not declared is refused, and its stream ended', async (t) => {
  const told = collect(t, 'reply.mismatch')
  let result: unknown
  const server = await serveApi(t, api(), { usual: () => result })
  for (const [what, path, given, code, message] of wrong) {
    result = given
    const { status, json } = await get(server, path)
    assert.deepEqual([status, json.error], [500, code], what)
    if (code === 'BAD_RESPONSE') assert.match(told.at(-1)?.faults.join() ?? '', message, what)
    if (given instanceof Readable) assert.equal(given.destroyed, true, what)
  }
})

test("Swagger 2.0's produces says the type of texts and files", async (t) => {
  const spec = api2({
    top: 'produces: [application/json]',
    paths: [
      '/page: { get: { operationId: page, produces: [text/html], responses: { 200: { description: ok, schema: { type: string } } } } }',
      '/file: { get: { operationId: file, responses: { 200: { description: ok, schema: { type: file } } } } }',
    ].join('\n'),
  })
  const server = await serveApi(t, spec, { page: () => '<p>', file: () => Buffer.from('%PDF') })
  const page = await get(server, '/page')
  assert.deepEqual([page.text, page.headers.get('content-type')], ['<p>', 'text/html; charset=utf-8'])
  const file = await get(server, '/file')
  assert.deepEqual([file.text, file.headers.get('content-type')], ['%PDF', 'application/octet-stream'])
})

test('a stream is read in the context of its request, after its tasks were stored', async (t) => {
  const order: string[] = []
  const release = async () => void order.push('stored')
  const handler = () => {
    stage('mail')
    const { callId } = contextHere()
    return Readable.from(
      (async function* lines() {
        order.push('read')
        yield `${contextHere().callId === callId}\n`
        await new Promise(setImmediate)
        yield `${contextHere().callId === callId} ${currentUser() === undefined}`
      })(),
    )
  }
  const server = await serve(t, { 'get /a': { handler } }, { release })
  assert.equal((await get(server, '/a')).text, 'true\ntrue true')
  assert.deepEqual(order, ['stored', 'read'])
})

test('a stream whose tasks can not be stored is ended, and the caller gets 503', async (t) => {
  const stream = Readable.from(['x'])
  const handler = () => {
    stage('mail')
    return stream
  }
  const release = () => Promise.reject(new StoreError('STORE_FULL', 'full'))
  const server = await serve(t, { 'get /a': { handler } }, { release })
  assert.equal((await get(server, '/a')).status, 503)
  assert.equal(stream.destroyed, true)
})

test('a stream that fails before its first byte is a 500, afterwards the connection ends; both are told', async (t) => {
  const crashes = collect(t, 'request.crash')
  const failing = (before: number) =>
    new Readable({
      read() {
        if (before-- > 0) this.push('x'.repeat(70_000))
        else this.destroy(new Error('the disk is away'))
      },
    })
  const server = await serve(t, {
    'get /soon': { handler: () => failing(0) },
    'get /late': { handler: () => failing(2) },
  })
  const soon = await get(server, '/soon')
  assert.deepEqual([soon.status, soon.json.error], [500, 'SERVER_ERROR'])
  await assert.rejects(get(server, '/late'))
  await until(() => crashes.length === 2, { what: 'both crashes' })
  assert.deepEqual(
    crashes.map(({ error }) => error.message),
    ['the disk is away', 'the disk is away'],
  )
})

test('a caller who goes away ends the stream', async (t) => {
  const endless = new Readable({
    read() {
      this.push(Buffer.alloc(65_536))
    },
  })
  const server = await serve(t, { 'get /a': { handler: () => endless } })
  const socket = connect(server.address.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write('GET /a HTTP/1.1\r\nhost: a\r\n\r\n')
  socket.once('data', () => socket.destroy())
  await until(() => endless.destroyed, { what: 'the stream to end' })
})

test('a stop waits for a stream that is being sent', async (t) => {
  let go: () => void = () => undefined
  const wait = new Promise<void>((resolve) => {
    go = resolve
  })
  const slow = Readable.from(
    (async function* pieces() {
      yield 'first '
      await wait
      yield 'last'
    })(),
  )
  const server = await serve(t, { 'get /a': { handler: () => slow } })
  const response = await fetch(`${server.address.url}/a`)
  const stopped = server.stop()
  await new Promise(setImmediate)
  go()
  assert.equal(await response.text(), 'first last')
  await stopped
})

test('a stream that fails while the tasks of its request are stored is a 500, and ends no process', async (t) => {
  let stream: Readable | undefined
  const handler = () => {
    stage('mail')
    stream = createReadStream('/nowhere/at/all')
    return stream
  }
  const release = async () => {
    await until(() => stream?.errored, { what: 'the stream to fail' })
  }
  const server = await serve(t, { 'get /a': { handler } }, { release })
  assert.equal((await get(server, '/a')).status, 500)
})

test('a stream that a handler gives after its time is ended', async (t) => {
  const late = Readable.from(['x'])
  const { promise, resolve } = Promise.withResolvers<Readable>()
  const server = await serve(t, { 'get /a': { handler: () => promise } }, { requestTimeoutMs: 20 })
  assert.equal((await get(server, '/a')).status, 408)
  resolve(late)
  await until(() => late.destroyed, { what: 'the stream to be ended' })
})

test('a body that is a stream may be left alone by the handler that took it', async (t) => {
  const spec = api3({
    paths: `/take: { post: { operationId: take, requestBody: { content: { image/png: {} } }, responses: { 422: { description: no } } } }`,
  })
  let taken: Readable | undefined
  const take = (body: unknown) => {
    // An uploaded file, as the spec says.
    taken = (body as UploadedFile).stream()
    return reply(422)
  }
  const server = await serveApi(t, spec, { take })
  const content = Buffer.alloc(300_000)
  const response = await fetch(`${server.address.url}/take`, {
    method: 'POST',
    body: content,
    headers: { 'content-type': 'image/png' },
  })
  assert.equal(response.status, 422)
  await until(() => taken?.destroyed === true, { what: 'the stream to be ended' })
})

test('an uploaded file can be the reply', async (t) => {
  const spec = api3({
    paths: `/echo: { post: { operationId: echo, requestBody: { content: { multipart/form-data: { schema: { type: object, properties: { f: { type: string, format: binary } } } }, image/png: {} } }, responses: { 200: { description: ok, content: { image/png: {} } } } } }`,
  })
  const fileOf = (body: unknown): UploadedFile => Object(body).f ?? body
  const server = await serveApi(t, spec, { echo: (body) => fileOf(body).stream() })
  const content = Buffer.alloc(500_000, 'abc')
  const form = new FormData()
  form.append('f', new File([content], 'a.png', { type: 'image/png' }))
  for (const init of [{ body: form }, { body: content, headers: { 'content-type': 'image/png' } }]) {
    const response = await fetch(`${server.address.url}/echo`, { method: 'POST', ...init })
    assert.deepEqual(Buffer.from(await response.bytes()).equals(content), true)
  }
})
