import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { CallOptions } from '../../src/clients/client.ts'
import {
  type Context,
  contextOf,
  currentCallId,
  currentContext,
  currentRequest,
  currentSignal,
  withContext,
} from '../../src/core/context.ts'
import { codeOf } from '../../src/core/errors.ts'
import { Reporter } from '../../src/core/reporter.ts'
import { installReporter, reportError } from '../../src/core/reporting.ts'
import type { HttpOptions } from '../../src/http/options.ts'
import type { HttpServer } from '../../src/http/server.ts'
import { collect, get, serve, stage } from '../http/service.ts'
import { until } from '../support/until.ts'
import { ada, loginAt, serverOf } from './setup.ts'

/** A call of another service in an endpoint whose caller may not wait for it. */

interface Shop {
  readonly server: HttpServer
  /** What the call has come to, once it has. */
  readonly ends: unknown[]
  /** The other service's side of the calls that it hasn't answered. */
  readonly held: { readonly request: IncomingMessage; readonly response: ServerResponse }[]
}

async function shop(
  t: TestContext,
  options: CallOptions = {},
  http: Partial<HttpOptions> = {},
): Promise<Shop> {
  const held: Shop['held'] = []
  const other = await serverOf(t, (request, response) => void held.push({ request, response }))
  const login = loginAt(other.url, { timeoutMs: 60_000 })
  const ends: unknown[] = []
  const handler = async () => {
    stage('mail')
    const user = await login.getUser({ id: '7' }, options).catch((error: unknown) => {
      ends.push(codeOf(error) ?? error)
      throw error
    })
    ends.push(user.name)
    return user
  }
  const server = await serve(t, { 'get /who': { handler } }, http)
  return { server, ends, held }
}

/** A caller who asks and is gone once the other service has been asked. */
async function askAndGo({ server, held }: Shop): Promise<void> {
  const socket = connect(server.address.port, '127.0.0.1')
  socket.write('GET /who HTTP/1.1\r\nhost: a\r\n\r\n')
  await until(() => held.length === 1, { what: 'the call' })
  socket.destroy()
}

function answer({ held }: Shop): void {
  held[0]?.response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(ada))
}

test('a call ends with the caller of the request it is made in, and what was fired is dropped', async (t) => {
  const dropped = collect(t, 'scope.dropped')
  const requests = collect(t, 'request.end')
  const made = await shop(t)
  await askAndGo(made)
  const closed = once(made.held[0]?.response ?? assert.fail(), 'close')
  await until(() => made.ends.length === 1, { what: 'the end of the call' })
  assert.deepEqual(made.ends, ['CALLER_GONE'])
  await closed
  await until(() => requests.length === 1, { what: 'the end of the request' })
  assert.deepEqual([requests[0]?.status, requests[0]?.error, dropped.length], [499, 'CALLER_GONE', 1])
})

test('with signal: false a call goes on to its end whatever becomes of its request', async (t) => {
  const made = await shop(t, { signal: false })
  await askAndGo(made)
  await get(made.server, '/ping')
  answer(made)
  await until(() => made.ends.length === 1, { what: 'the end of the call' })
  assert.deepEqual(made.ends, ['Ada'])
})

test("a signal of the call's own ends it too, and neither keeps the other from that", async (t) => {
  const own = new AbortController()
  const first = await shop(t, { signal: own.signal })
  const waiting = get(first.server, '/who')
  await until(() => first.held.length === 1, { what: 'the call' })
  own.abort(new Error('enough'))
  assert.equal((await waiting).status, 500)
  assert.deepEqual(first.ends.map(String), ['Error: enough'])
  const second = await shop(t, { signal: new AbortController().signal })
  await askAndGo(second)
  await until(() => second.ends.length === 1, { what: 'the end of the call' })
  assert.deepEqual(second.ends, ['CALLER_GONE'])
})

test('a call ends when its server stops', async (t) => {
  const made = await shop(t, {}, { stopTimeoutMs: 50 })
  const waiting = get(made.server, '/who')
  await until(() => made.held.length === 1, { what: 'the call' })
  await made.server.stop()
  assert.equal((await waiting).status, 503)
  await until(() => made.ends.length === 1, { what: 'the end of the call' })
  assert.deepEqual(made.ends, ['SERVER_STOPPING'])
})

test("when a request's time is over, so are the calls in it, those to come as well", async (t) => {
  const later = Promise.withResolvers<unknown>()
  const other = await serverOf(t, () => undefined)
  const login = loginAt(other.url, { timeoutMs: 60_000 })
  const handler = async () => {
    const first = await login.getUser({ id: '7' }).catch((error: unknown) => codeOf(error))
    const signal = currentSignal()
    if (signal?.aborted === false) await once(signal, 'abort')
    const second = await login.getUser({ id: '8' }).catch((error: unknown) => codeOf(error))
    later.resolve([first, signal?.aborted, codeOf(signal?.reason), second])
  }
  const server = await serve(t, { 'get /who': { handler } }, { requestTimeoutMs: 100 })
  assert.equal((await get(server, '/who')).status, 408)
  const [first, aborted, why, second] = Object(await later.promise)
  assert.match(first, /CLIENT_TIMEOUT|REQUEST_TIMEOUT/)
  assert.deepEqual([aborted, why], [true, 'REQUEST_TIMEOUT'])
  assert.match(second, /CLIENT_TIMEOUT|REQUEST_TIMEOUT/)
})

test('a request that was answered ends nothing: neither its reply nor the end of its connection', async (t) => {
  const signals: (AbortSignal | undefined)[] = []
  let context: Context | undefined
  const handler = () => {
    context = currentContext()
    signals.push(currentSignal())
    return {}
  }
  const server = await serve(t, { 'get /a': { handler } })
  const socket = connect(server.address.port, '127.0.0.1')
  let replies = 0
  socket.on('data', () => {
    replies += 1
  })
  for (let round = 1; round <= 30; round += 1) {
    socket.write('GET /a HTTP/1.1\r\nhost: a\r\n\r\n')
    await until(() => replies === round, { what: 'the reply', everyMs: 1 })
  }
  socket.destroy()
  await get(server, '/ping')
  assert.equal(signals.length, 30)
  assert.ok(signals.every((signal) => signal?.aborted === false))
  const late = withContext(context ?? assert.fail(), () => currentSignal())
  assert.equal(late?.aborted, false)
})

test('whoever asks after the caller has gone is told at once', async (t) => {
  const gate = Promise.withResolvers<void>()
  const told = Promise.withResolvers<unknown>()
  let running = false
  const handler = async () => {
    running = true
    await gate.promise
    told.resolve(codeOf(currentSignal()?.reason))
  }
  const server = await serve(t, { 'get /a': { handler } })
  const socket = connect(server.address.port, '127.0.0.1')
  socket.write('GET /a HTTP/1.1\r\nhost: a\r\n\r\n')
  await until(() => running, { what: 'the handler' })
  socket.destroy()
  await get(server, '/ping')
  gate.resolve()
  assert.equal(await told.promise, 'CALLER_GONE')
})

test('whatever context has a signal, its calls end with that', async (t) => {
  const other = await serverOf(t, () => undefined)
  const login = loginAt(other.url, { timeoutMs: 60_000 })
  const attempt = new AbortController()
  const context = { ...contextOf('c'), signal: attempt.signal }
  const call = withContext(context, () => login.getUser({ id: '7' }))
  const rejected = assert.rejects(call, /cancelled/)
  await until(() => other.requests.length === 1, { what: 'the call' })
  attempt.abort(new Error('cancelled'))
  await rejected
})

test('outside of requests there is no signal', () => {
  assert.equal(currentSignal(), undefined)
})

test('a reporter that asks another service is not ended with the request it tells of', async (t) => {
  const other = await serverOf(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(ada))
  })
  const login = loginAt(other.url)
  const asked: unknown[] = []
  const reporter = new Reporter(
    async (title, { request }) => {
      const user = await login.getUser({ id: '7' }).catch((error: unknown) => ({ name: codeOf(error) }))
      asked.push([title, currentCallId(), request?.path, currentRequest()?.path, currentSignal(), user.name])
    },
    { fqdn: 'here', port: 1, api_name: 'test', api_version: '1', env: 'test' },
  )
  const handler = async () => {
    const signal = currentSignal()
    if (signal?.aborted === false) await once(signal, 'abort')
    reportError('Nobody waits')
  }
  installReporter(reporter)
  t.after(() => installReporter(undefined))
  const server = await serve(t, { 'get /who': { handler } }, { requestTimeoutMs: 50, reporter })
  await get(server, '/who', { headers: { 'x-call-id': 'c1' } })
  await until(() => asked.length === 1, { what: 'the report' })
  assert.deepEqual(asked, [['Nobody waits', 'c1', '/who', '/who', undefined, 'Ada']])
})
