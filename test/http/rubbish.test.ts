import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Tokens } from '../../src/auth/tokens.ts'
import { UploadedFile } from '../../src/core/uploaded-file.ts'
import type { HttpServer } from '../../src/http/server.ts'
import type { Body } from '../../src/spec/api.ts'
import { until } from '../support/until.ts'
import { anyBody, get, post, rawReplies, serve, talk } from './service.ts'

/** What arrives over bare sockets: whatever it is, it is answered as JSON where HTTP allows, and the server goes on. */

const operations = {
  'post /a': { body: anyBody, handler: (body: unknown) => ({ body: body ?? null }) },
  'get /a': { handler: () => ({ ok: true }) },
  'get /things/{id}': { handler: (named: unknown) => ({ named }) },
}

async function assertAlive(server: HttpServer): Promise<void> {
  assert.equal((await get(server, '/a')).status, 200)
}

const request = (lines: readonly string[], body = '') => `${lines.join('\r\n')}\r\n\r\n${body}`
const close = 'Connection: close'
const json = 'Content-Type: application/json'

const broken: readonly (readonly [string, string | Uint8Array, number, string])[] = [
  ['random bytes', new Uint8Array([0xff, 0x00, 0x81, 0x0d, 0x0a, 0x0d, 0x0a, 0x16]), 400, 'BAD_HTTP'],
  [
    'a TLS hello',
    new Uint8Array([0x16, 0x03, 0x01, 0x00, 0xa5, 0x01, 0x00, 0x00, 0xa1, 0x03, 0x03]),
    400,
    'BAD_HTTP',
  ],
  ['prose', 'hello, is this a web server?\r\n\r\n', 400, 'BAD_HTTP'],
  ['a method that is none', request(['GRAB /a HTTP/1.1', 'Host: x']), 400, 'BAD_HTTP'],
  ['HTTP/9', request(['GET /a HTTP/9.9', 'Host: x']), 400, 'BAD_HTTP'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'BAD_HTTP'],
  ['a NUL in the path', 'GET /a\u0000b HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'BAD_HTTP'],
  ['a header name with a space', request(['GET /a HTTP/1.1', 'Host: x', 'bad name: 1']), 400, 'BAD_HTTP'],
  ['a NUL in a header', 'GET /a HTTP/1.1\r\nHost: x\r\nX-Own: a\u0000b\r\n\r\n', 400, 'BAD_HTTP'],
  [
    'two lengths',
    request(['POST /a HTTP/1.1', 'Host: x', 'Content-Length: 2', 'Content-Length: 3'], '{}'),
    400,
    'BAD_HTTP',
  ],
  [
    'a length that is no number',
    request(['POST /a HTTP/1.1', 'Host: x', 'Content-Length: two'], '{}'),
    400,
    'BAD_HTTP',
  ],
  [
    'a negative length',
    request(['POST /a HTTP/1.1', 'Host: x', 'Content-Length: -1'], '{}'),
    400,
    'BAD_HTTP',
  ],
  [
    'a length beside chunks (request smuggling)',
    request(['POST /a HTTP/1.1', 'Host: x', 'Content-Length: 6', 'Transfer-Encoding: chunked'], '0\r\n\r\nX'),
    400,
    'BAD_HTTP',
  ],
  [
    'headers of 100 kB',
    request(['GET /a HTTP/1.1', 'Host: x', `X-Own: ${'x'.repeat(100_000)}`]),
    431,
    'HEADERS_TOO_LARGE',
  ],
  [
    'ten thousand headers',
    request(['GET /a HTTP/1.1', 'Host: x', ...Array.from({ length: 10_000 }, (_, n) => `x-${n}: 1`)]),
    431,
    'HEADERS_TOO_LARGE',
  ],
  [
    'a path of 100 kB',
    request([`GET /${'x'.repeat(100_000)} HTTP/1.1`, 'Host: x']),
    431,
    'HEADERS_TOO_LARGE',
  ],
]

for (const [what, bytes, status, code] of broken) {
  test(`${what} gets ${status} ${code} as JSON, and the connection ends`, async (t) => {
    const server = await serve(t, operations)
    const replies = rawReplies(await talk(server, bytes))
    assert.equal(replies.length, 1)
    assert.equal(replies[0]?.status, status)
    assert.equal(replies[0]?.json.error, code)
    assert.equal(replies[0]?.json.status, status)
    await assertAlive(server)
  })
}

const odd: readonly (readonly [string, readonly string[], number])[] = [
  ['a percent-encoding that is none', ['GET /things/%zz HTTP/1.1'], 400],
  ['a percent-encoding that is no UTF-8', ['GET /things/%ff%fe HTTP/1.1'], 400],
  ['a cut percent-encoding', ['GET /things/%E0%A4%A HTTP/1.1'], 400],
  ['a broken encoding on a path that is not known', ['GET /nothing/%zz HTTP/1.1'], 400],
  ['an encoded NUL', ['GET /things/a%00b HTTP/1.1'], 200],
  ['dots that lead upwards', ['GET /things/..%2f..%2fetc%2fpasswd HTTP/1.1'], 200],
  ['a path of slashes', ['GET //// HTTP/1.1'], 404],
  ['a whole URL', ['GET http://x/a HTTP/1.1'], 200],
  ['an asterisk', ['OPTIONS * HTTP/1.1'], 404],
  ['a broken query', ['GET /a?%zz=%00&&==&[=] HTTP/1.1'], 200],
  [
    'headers that look like prototypes',
    ['GET /a HTTP/1.1', '__proto__: x', 'constructor: y', 'toString: z'],
    200,
  ],
  ['an upgrade that nobody wants', ['GET /a HTTP/1.1', 'Upgrade: websocket', 'Sec-WebSocket-Key: x'], 200],
]

for (const [what, lines, status] of odd) {
  test(`${what} gets ${status} as JSON`, async (t) => {
    const server = await serve(t, operations)
    const connection = what.startsWith('an upgrade') ? 'Connection: upgrade, close' : close
    const replies = rawReplies(await talk(server, request([...lines, 'Host: x', connection])))
    assert.equal(replies[0]?.status, status)
    assert.match(replies[0]?.head ?? '', /content-type: application\/json/i)
    if (status !== 200) assert.equal(replies[0]?.json.status, status)
    await assertAlive(server)
  })
}

test('CONNECT is no way to anywhere', async (t) => {
  const server = await serve(t, operations)
  await talk(server, request(['CONNECT internal:5432 HTTP/1.1', 'Host: internal:5432']))
  await assertAlive(server)
})

test('HTTP/1.0 and a request without Host are answered or refused, never hung', async (t) => {
  const server = await serve(t, operations)
  assert.equal(rawReplies(await talk(server, request(['GET /a HTTP/1.0'])))[0]?.status, 200)
  assert.equal(rawReplies(await talk(server, request(['GET /a HTTP/1.1'])))[0]?.status, 400)
})

test('pipelined requests are answered in their order', async (t) => {
  const server = await serve(t, operations)
  const one = (body: string) =>
    request(['POST /a HTTP/1.1', 'Host: x', json, `Content-Length: ${body.length}`], body)
  const last = request(['GET /a HTTP/1.1', 'Host: x', close])
  const replies = rawReplies(await talk(server, one('1') + one('{bad') + one('3') + last))
  assert.deepEqual(
    replies.map(({ status }) => status),
    [200, 400, 200, 200],
  )
  assert.deepEqual(replies[2]?.json, { body: 3 })
})

test('rubbish behind a good request never passes for the answer to that request', async (t) => {
  const gate = Promise.withResolvers<void>()
  let running = false
  const handler = async () => {
    running = true
    await gate.promise
    return { slow: true }
  }
  const server = await serve(t, { ...operations, 'get /slow': { handler } })
  const received = talk(server, `${request(['GET /slow HTTP/1.1', 'Host: x'])}\u0000\u0001rubbish\r\n\r\n`)
  await until(() => running, { what: 'the handler to run' })
  gate.resolve()
  const replies = rawReplies(await received)
  assert.deepEqual(
    replies.map(({ status }) => status),
    [200],
  )
  assert.deepEqual(replies[0]?.json, { slow: true })
  assert.match(replies[0]?.head ?? '', /connection: close/i)
})

test('a body that is longer than its length is cut, and the rest is refused as a request', async (t) => {
  const server = await serve(t, operations)
  const text = request(['POST /a HTTP/1.1', 'Host: x', json, 'Content-Length: 2'], '{}{"more":1}\r\n\r\n')
  const replies = rawReplies(await talk(server, text))
  assert.deepEqual(replies[0]?.json, { body: {} })
  assert.ok(replies.length === 1 || replies[1]?.status === 400)
  await assertAlive(server)
})

test('chunks that are none end the request with 400', async (t) => {
  const server = await serve(t, operations)
  const head = request(['POST /a HTTP/1.1', 'Host: x', json, 'Transfer-Encoding: chunked'])
  const replies = rawReplies(await talk(server, `${head}zz\r\nnot a chunk\r\n`))
  assert.equal(replies.length, 1)
  assert.equal(replies[0]?.status, 400)
  assert.equal(replies[0]?.json.error, 'BAD_HTTP')
  await assertAlive(server)
})

const filed: Body = {
  ...anyBody,
  content: [{ mediaType: 'application/json', kind: 'file', schema: true, encoding: {} }],
}

/** Kinds of bodies, how they break, and what is told of that. */
const breaks: readonly (readonly [string, Body, string, boolean, string])[] = [
  ['a body in chunks that are none', anyBody, 'zz\r\n', false, 'BAD_HTTP'],
  ['a body that is cut', anyBody, '5\r\n{"a"', true, 'BODY_INCOMPLETE'],
  ['a file in chunks that are none', filed, 'zz\r\n', false, 'BAD_HTTP'],
  ['a file that is cut', filed, '5\r\n{"a"', true, 'BODY_INCOMPLETE'],
]

for (const [what, body, chunk, isCut, code] of breaks) {
  test(`${what} while its token is verified gets 400 ${code} and holds nothing up`, async (t) => {
    const tokens = new Tokens({ secret: 'a secret of this test, long enough to be one' })
    const handler = async (given: unknown) => ({
      length: given instanceof UploadedFile ? (await given.buffer()).length : 0,
    })
    const server = await serve(
      t,
      { ...operations, 'post /b': { body, authenticated: true, handler } },
      { tokens },
    )
    // No other request has brought it: it isn't known yet when the body breaks.
    const token = `Authorization: Bearer ${await tokens.sign({ userId: 'ada' })}`
    const head = request(['POST /b HTTP/1.1', 'Host: x', json, token, 'Transfer-Encoding: chunked'])
    const { socket, text } = slowly(t, server, `${head}${chunk}`)
    if (isCut) socket.end()
    await until(() => socket.closed, { what: 'the connection to end' })
    const replies = rawReplies(text())
    assert.deepEqual(
      replies.map(({ status, json: told }) => [status, told.error]),
      [[400, code]],
    )
    await assertAlive(server)
  })
}

function slowly(t: TestContext, server: HttpServer, first: string): { socket: Socket; text: () => string } {
  const socket = connect(server.address.port, '127.0.0.1')
  let text = ''
  socket.on('data', (bytes) => {
    text += bytes.toString()
  })
  socket.on('error', () => undefined)
  socket.write(first)
  t.after(() => void socket.destroy())
  return { socket, text: () => text }
}

const impatient = { headersTimeoutMs: 150, arrivalTimeoutMs: 300, keepAliveTimeoutMs: 100 }

test('headers that never end (slowloris) get 408, while others are served', async (t) => {
  const server = await serve(t, operations, impatient)
  const slow = Array.from({ length: 50 }, () => slowly(t, server, 'GET /a HTTP/1.1\r\nHost: x\r\n'))
  const drip = setInterval(() => {
    for (const { socket } of slow) if (socket.writable) socket.write('X-Drip: 1\r\n')
  }, 20)
  t.after(() => clearInterval(drip))
  await assertAlive(server)
  await until(() => slow.every(({ socket }) => socket.closed), { what: 'all slow connections to end' })
  for (const { text } of slow) {
    const [reply] = rawReplies(text())
    assert.equal(reply?.status, 408)
    assert.equal(reply?.json.error, 'REQUEST_TIMEOUT')
  }
  await assertAlive(server)
})

test('a caller who is still sending megabytes of rubbish gets to read why he is refused', async (t) => {
  const server = await serve(t, operations)
  for (const _ of Array(10)) {
    const [reply] = rawReplies(await talk(server, Buffer.alloc(3_000_000, 0x58)))
    assert.equal(reply?.status, 400)
  }
})

test('a caller of 20 MB without token, or to nowhere, gets to read why he is refused', async (t) => {
  const tokens = new Tokens({ secret: 'a secret of this test, long enough to be one' })
  const operation = { body: anyBody, authenticated: true, handler: () => ({}) }
  const server = await serve(t, { 'post /closed': operation }, { tokens })
  const body = `"${'x'.repeat(20 * 1024 * 1024)}"`
  assert.equal((await post(server, '/closed', body)).status, 401)
  assert.equal((await post(server, '/nowhere', body)).status, 404)
})

test('a caller who keeps his end open after a refusal is cut off', async (t) => {
  const server = await serve(t, operations)
  const socket = connect({ port: server.address.port, host: '127.0.0.1', allowHalfOpen: true })
  t.after(() => void socket.destroy())
  let refused = false
  socket
    .on('error', () => undefined)
    .on('end', () => {
      refused = true
    })
  socket.resume().write('rubbish\r\n\r\n')
  await until(() => refused, { what: 'the refusal' })
  await until(() => socket.closed || !socket.write('more'), { what: 'the end of the connection' })
})

test('a body that never ends gets 408', async (t) => {
  const server = await serve(t, operations, impatient)
  const head = request(['POST /a HTTP/1.1', 'Host: x', json, 'Content-Length: 1000'], '{"a":')
  const { socket, text } = slowly(t, server, head)
  await until(() => socket.closed, { what: 'the connection to end' })
  const replies = rawReplies(text())
  assert.equal(replies.length, 1)
  assert.equal(replies[0]?.status, 408)
  assert.equal(replies[0]?.json.error, 'REQUEST_TIMEOUT')
  await assertAlive(server)
})

test('connections that say nothing are ended', async (t) => {
  const server = await serve(t, operations, impatient)
  const { socket } = slowly(t, server, '')
  await until(() => socket.closed, { what: 'the silent connection to end' })
})

test('a caller who resets his connection at any moment leaves the server well', async (t) => {
  const server = await serve(t, operations)
  const whole = request(['POST /a HTTP/1.1', 'Host: x', json, 'Content-Length: 7'], '{"a":1}')
  const ended = Array.from({ length: whole.length }, (_, cut) => {
    const { socket } = slowly(t, server, whole.slice(0, cut + 1))
    socket.once('connect', () => setImmediate(() => socket.resetAndDestroy()))
    return socket
  })
  await until(() => ended.every((socket) => socket.closed), { what: 'all connections to end' })
  await assertAlive(server)
})

test('random damage to a request never hangs nor kills the server', async (t) => {
  const server = await serve(t, operations, impatient)
  const whole = Buffer.from(
    request(['POST /a HTTP/1.1', 'Host: x', json, close, 'Content-Length: 7'], '{"a":1}'),
  )
  let seed = 20261123
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed % below
  }
  const talks = Array.from({ length: 300 }, () => {
    const bytes = Buffer.from(whole)
    for (let n = 0; n <= random(3); n += 1) bytes[random(bytes.length)] = random(256)
    return talk(server, bytes)
  })
  for (const text of await Promise.all(talks)) {
    for (const reply of rawReplies(text)) {
      assert.ok(reply.status === 200 || reply.json.status === reply.status, text)
      assert.ok(reply.status < 500, text)
    }
  }
  await assertAlive(server)
})
