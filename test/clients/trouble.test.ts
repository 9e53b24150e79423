import assert from 'node:assert/strict'
import { createServer as createTcpServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import {
  ClientBadReplyError,
  ClientConnectionError,
  ClientReplyError,
  ClientTimeoutError,
} from '../../src/clients/errors.ts'
import { contextOf, withContext } from '../../src/core/context.ts'
import { on } from '../../src/core/events.ts'
import { freePort } from '../support/free-port.ts'
import { ada, errorOf, json, loginAt, serverOf } from './setup.ts'

/** A server below HTTP: what it writes is all there is. Gives its address and the count of connections. */
async function tcpServer(
  t: TestContext,
  text: string | undefined,
): Promise<{ url: string; connections: () => number }> {
  let count = 0
  const server = createTcpServer((socket) => {
    count++
    socket.on('error', () => undefined)
    socket.once('data', () => {
      if (text === undefined) socket.resetAndDestroy()
      else socket.end(text)
    })
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return { url: `http://127.0.0.1:${address.port}`, connections: () => count }
}

test('a service that hangs ends the call at its timeout', async (t) => {
  const other = await serverOf(t, () => undefined)
  const error = await errorOf(loginAt(other.url, { retries: 3 })['GET /v1/ping']({ timeout: 60 }))
  assert.ok(error instanceof ClientTimeoutError)
  assert.equal(error.code, 'CLIENT_TIMEOUT')
  assert.equal(error.message, 'login: GET /v1/ping took longer than 60 ms')
  // Under load the time may be over before the request has arrived.
  assert.ok(other.requests.length <= 1)
})

test('slow headers and a slow body end the call at its timeout', async (t) => {
  const other = await serverOf(t, (request, response) => {
    if (request.url === '/v1/ping') response.writeContinue()
    else response.writeHead(200, { 'content-type': 'application/json' }).write('{')
  })
  const login = loginAt(other.url)
  assert.ok((await errorOf(login['GET /v1/ping']({ timeout: 60 }))) instanceof ClientTimeoutError)
  assert.ok((await errorOf(login.getUser({ id: '7' }, { timeout: 60 }))) instanceof ClientTimeoutError)
})

test('a call has no more time than the request it is made in', async (t) => {
  const other = await serverOf(t, () => undefined)
  const login = loginAt(other.url)
  const context = { ...contextOf('c'), deadline: performance.now() + 50 }
  const error = await errorOf(withContext(context, () => login['GET /v1/ping']()))
  assert.ok(error instanceof ClientTimeoutError)
  assert.match(error.message, /what was left of its request's time/)
  const late = { ...contextOf('c'), deadline: performance.now() - 1 }
  const silent = await serverOf(t, () => undefined)
  const call = withContext(late, () => loginAt(silent.url)['GET /v1/ping']())
  assert.ok((await errorOf(call)) instanceof ClientTimeoutError)
  assert.equal(silent.requests.length, 0)
})

test('a signal ends the call with its reason, while it waits and between tries', async (t) => {
  const reason = new Error('changed my mind')
  const waiting = new AbortController()
  const other = await serverOf(t, (request, response) => {
    if (request.url === '/v1/ping') waiting.abort(reason)
    else response.writeHead(503, { 'retry-after': '3' }).end()
  })
  const login = loginAt(other.url, { retries: 3 })
  assert.equal(await errorOf(login['GET /v1/ping']({ signal: waiting.signal })), reason)
  const pausing = new AbortController()
  t.after(on('client.retry', () => setImmediate(() => pausing.abort(reason))))
  assert.equal(await errorOf(login.getUser({ id: '7' }, { signal: pausing.signal })), reason)
  assert.equal(await errorOf(login['GET /v1/ping']({ signal: AbortSignal.abort(reason) })), reason)
  assert.equal(other.requests.length, 2)
})

test('a closed port is told, and tried again also for what is not idempotent, since nothing was sent', async () => {
  const login = loginAt(`http://127.0.0.1:${await freePort()}`)
  const retries: string[] = []
  const end = on('client.retry', ({ why }) => retries.push(why))
  const error = await errorOf(login.addUser({ name: 'Ada', born: new Date() }, { retries: 2 }))
  end()
  assert.ok(error instanceof ClientConnectionError)
  assert.equal(error.code, 'CLIENT_UNREACHABLE')
  assert.equal(error.sent, false)
  assert.match(error.message, /could not connect: .*ECONNREFUSED.* \(after 3 tries\) \(http:/)
  assert.equal(retries.length, 2)
})

test('a connection that breaks is tried again for idempotent methods only', async (t) => {
  const other = await tcpServer(t, undefined)
  const login = loginAt(other.url, { retries: 1 })
  const read = await errorOf(login['GET /v1/ping']())
  assert.ok(read instanceof ClientConnectionError)
  assert.equal(read.sent, true)
  assert.equal(other.connections(), 2)
  const write = await errorOf(login.addUser({ name: 'Ada', born: new Date() }))
  assert.ok(write instanceof ClientConnectionError)
  assert.match(write.message, /lost its connection before a reply came/)
  assert.equal(other.connections(), 3)
})

test('half a body is no reply', async (t) => {
  const other = await tcpServer(
    t,
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"half":',
  )
  const error = await errorOf(loginAt(other.url)['GET /v1/ping']())
  assert.ok(error instanceof ClientConnectionError)
  assert.match(error.message, /has a reply that broke off/)
})

test('what is no HTTP, no JSON, other JSON, or an undeclared status is a bad reply', async (t) => {
  const noHttp = await tcpServer(t, 'SSH-2.0-OpenSSH_9.9\r\n')
  assert.match((await errorOf(loginAt(noHttp.url)['GET /v1/ping']())).message, /no HTTP/)
  const cases = [
    [{ 'content-type': 'application/json' }, '{"name": Ada}', /what is no JSON/],
    [
      { 'content-type': 'text/html' },
      '<h1>Log in first</h1>',
      /text\/html where the spec declares JSON: "<h1>Log in/,
    ],
    [{}, '{"name":"Ada","born":"once"}', /body\.born must be a date and time.*"once"/],
    [{}, '', /body/],
    [{}, '['.repeat(90_000), /what is no JSON/],
  ] as const
  for (const [headers, text, message] of cases) {
    const other = await serverOf(t, (_, response) => response.writeHead(200, headers).end(text))
    const error = await errorOf(loginAt(other.url).getUser({ id: '7' }))
    assert.ok(error instanceof ClientBadReplyError, String(error))
    assert.equal(error.replyStatus, 200)
    assert.match(error.message, message)
  }
  const other = await serverOf(t, json(ada, 202))
  assert.match(
    (await errorOf(loginAt(other.url).getUser({ id: '7' }))).message,
    /the status 202 \(declared: 200\)/,
  )
})

test('reply_check log and off let a reply through', async (t) => {
  const other = await serverOf(t, json({ name: 7 }))
  const told: unknown[] = []
  const end = on('client.mismatch', (detail) => told.push(detail))
  const logged = await loginAt(other.url, { replyCheck: 'log' }).getUser({ id: '7' })
  await loginAt(other.url, { replyCheck: 'off' }).getUser({ id: '7' })
  end()
  assert.deepEqual({ ...logged }, { name: 7 })
  assert.deepEqual(told, [
    {
      client: 'login',
      operation: 'getUser',
      status: 200,
      faults: ['body.born is required', 'body.name must be a string, not 7'],
    },
  ])
})

test('a reply over the limit is not read further, whether it says its length or not', async (t) => {
  const text = JSON.stringify('x'.repeat(200_000))
  const other = await serverOf(t, (request, response) => {
    response.writeHead(
      200,
      request.headers['x-length'] === undefined ? {} : { 'content-length': text.length },
    )
    response.end(text)
  })
  const login = loginAt(other.url, { replyLimit: 1000 })
  for (const headers of [{}, { 'x-length': '1' }]) {
    const error = await errorOf(login['GET /v1/ping']({ headers }))
    assert.ok(error instanceof ClientBadReplyError)
    assert.match(error.message, /larger than the 1000 bytes it may have \(reply_limit\)/)
  }
})

test('a 503 is tried again after what Retry-After says, for idempotent methods and while there is time', async (t) => {
  let answers = 0
  const other = await serverOf(t, (request, response) => {
    const after = request.headers['x-after']
    if (answers++ % 2 === 0)
      response.writeHead(503, after === undefined ? {} : { 'retry-after': String(after) }).end()
    else json(ada, request.method === 'POST' ? 201 : 200)(request, response)
  })
  const login = loginAt(other.url, { retries: 2 })
  const pauses: number[] = []
  const end = on('client.retry', ({ ms }) => pauses.push(ms))
  t.after(end)
  assert.equal((await login.getUser({ id: '7' }, { headers: { 'x-after': '0' } })).name, 'Ada')
  assert.deepEqual(pauses.splice(0), [0])
  assert.equal((await login.getUser({ id: '7' })).name, 'Ada')
  const [pause = 0] = pauses.splice(0)
  assert.ok(pause >= 50 && pause <= 100, String(pause))
  const tooLong = await errorOf(login.getUser({ id: '7' }, { headers: { 'x-after': '600' } }))
  assert.ok(tooLong instanceof ClientReplyError)
  assert.equal(tooLong.status, 503)
  answers = 0
  const date = new Date(Date.now() + 600_000).toUTCString()
  assert.equal((await errorOf(login.getUser({ id: '7' }, { headers: { 'x-after': date } }))).status, 503)
  answers = 0
  const write = await errorOf(login.addUser({ name: 'Ada', born: new Date() }))
  assert.equal(write.status, 503)
  assert.equal(answers, 1)
})

test('a redirection to another host is followed for reads, without anything that was meant for this one', async (t) => {
  const elsewhere = await serverOf(t, json(ada))
  const other = await serverOf(t, (request, response) => {
    response
      .writeHead(request.method === 'GET' ? 302 : 308, { location: `${elsewhere.url}/v1/users/8#part` })
      .end()
  })
  const login = loginAt(other.url, { headers: { 'x-key': 'k' } })
  const context = { ...contextOf('c'), token: { raw: 'tok', expiresAt: Date.now() + 60_000 } }
  const user = await withContext(context, () => login.getUser({ id: '7', session: 's', 'X-Tenant': 'acme' }))
  assert.equal(user.name, 'Ada')
  assert.equal(other.requests[0]?.headers.authorization, 'Bearer tok')
  const [{ line, headers } = { line: '', headers: {} }] = elsewhere.requests
  assert.equal(line, 'GET /v1/users/8')
  assert.deepEqual(Object.keys(headers).toSorted(), ['accept', 'connection', 'host', 'user-agent'])
  const write = await errorOf(login.addUser({ name: 'Ada', born: new Date() }))
  assert.ok(write instanceof ClientBadReplyError)
  assert.match(write.message, /which is not followed for POST/)
  assert.equal(elsewhere.requests.length, 1)
})

test('a redirection within the service keeps the token; one that never ends, or leads nowhere, is a bad reply', async (t) => {
  const other = await serverOf(t, (request, response) => {
    const location = { '/v1/ping': '/v1/ping', '/v1/users/none': '', '/v1/users/ftp': 'ftp://h/x' }[
      request.url ?? ''
    ]
    if (request.url === '/v1/users/new') return json(ada)(request, response)
    response.writeHead(307, location === '' ? {} : { location: location ?? '/v1/users/new' }).end()
  })
  const login = loginAt(other.url)
  const context = { ...contextOf('c'), token: { raw: 'tok', expiresAt: Date.now() + 60_000 } }
  await withContext(context, () => login.getUser({ id: 'old' }))
  assert.equal(other.requests.at(-1)?.headers.authorization, 'Bearer tok')
  assert.match((await errorOf(login['GET /v1/ping']())).message, /redirected more than 5 times/)
  assert.match((await errorOf(login.getUser({ id: 'none' }))).message, /without a readable Location/)
  assert.match((await errorOf(login.getUser({ id: 'ftp' }))).message, /which is not followed/)
})

test('connections are kept alive and used again', async (t) => {
  const other = await serverOf(t, json(1))
  const ports = new Set<number | undefined>()
  other.server.on('connection', (socket) => ports.add(socket.remotePort))
  const login = loginAt(other.url)
  for (let call = 0; call < 5; call++) await login['GET /v1/ping']()
  assert.equal(ports.size, 1)
})

test('no error, event or log line of a call holds a token or a query', async (t) => {
  const other = await serverOf(t, json({ error: 'NO' }, 403))
  const told: unknown[] = []
  const end = on('client.end', (detail) => told.push(detail))
  t.after(end)
  const call = loginAt(other.url).getUser({ id: '7', fields: ['hidden-text'] }, { token: 'hidden-text' })
  const error = await errorOf(call)
  const text = JSON.stringify([told, error.message, error.stack, { ...error }])
  assert.match(text, /v1\/users\/7/)
  assert.doesNotMatch(text, /hidden-text/)
})

test('neither does a log line hold what the spec of a path calls sensitive', async (t) => {
  const other = await serverOf(t, json({}))
  const told: unknown[] = []
  t.after(on('client.end', ({ url }) => told.push(url)))
  await loginAt(other.url).getVoucher({ voucher: 'hidden-text' })
  assert.deepEqual(told, [`${other.url}/v1/vouchers/[hidden]`])
})
