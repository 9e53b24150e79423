import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Scope } from '../../src/core/context.ts'
import type { HttpOptions } from '../../src/http/options.ts'
import { type HttpServer, openHttp } from '../../src/http/server.ts'
import { until } from '../support/until.ts'
import {
  anyBody,
  collect,
  get,
  httpOptions,
  rawReplies,
  refusesConnections,
  serve,
  stage,
  type TestOperations,
  talk,
} from './service.ts'

/** A handler that runs until its gate opens. */
function gated() {
  const gate = Promise.withResolvers<void>()
  const scopes: Scope[] = []
  const handler = async () => {
    scopes.push(stage('mail'))
    await gate.promise
    return { done: true }
  }
  return { handler, scopes, open: () => gate.resolve() }
}

async function open(operations: TestOperations, options: Partial<HttpOptions> = {}): Promise<HttpServer> {
  return openHttp(httpOptions(operations, options))
}

test('stop waits for the requests in hand, accepts no new connection, and says that each reply is the last', async (t) => {
  const { handler, scopes, open: openGate } = gated()
  const server = await serve(t, { 'get /slow': { handler } })
  const waiting = get(server, '/slow')
  await until(() => scopes.length > 0, { what: 'the handler to run' })
  let stopped = false
  const stopping = server.stop().then(() => {
    stopped = true
  })
  await until(() => refusesConnections(server), { what: 'the port to close' })
  assert.equal(stopped, false)
  openGate()
  const { status, headers, json } = await waiting
  assert.equal(status, 200)
  assert.deepEqual(json, { done: true })
  assert.equal(headers.get('connection'), 'close')
  await stopping
})

test('stop may be called any number of times', async (t) => {
  const server = await serve(t, {})
  await Promise.all([server.stop(), server.stop()])
  await server.stop()
})

test('idle keep-alive connections end at once', async () => {
  const server = await open({ 'get /a': { handler: () => ({}) } }, { stopTimeoutMs: 60_000 })
  await get(server, '/a')
  const started = performance.now()
  await server.stop()
  assert.ok(performance.now() - started < 5000)
})

test('connections that have sent nothing, or a piece of a request, do not delay a stop', async () => {
  const server = await open({ 'get /a': { handler: () => ({}) } }, { stopTimeoutMs: 60_000 })
  const silent = talk(server)
  const partial = talk(server, 'GET /a HTTP/1.1\r\nHost')
  await get(server, '/a')
  const started = performance.now()
  await server.stop()
  await Promise.all([silent, partial])
  assert.ok(performance.now() - started < 5000)
})

test('requests that came one behind the other over a connection are all answered before it ends', async () => {
  const { handler, scopes, open: openGate } = gated()
  const server = await open({ 'get /slow': { handler } })
  const received = talk(server, 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3))
  await until(() => scopes.length === 3, { what: 'the handlers to run' })
  const stopping = server.stop()
  openGate()
  await stopping
  const replies = rawReplies(await received)
  assert.deepEqual(
    replies.map(({ status }) => status),
    [200, 200, 200],
  )
  assert.match(replies[2]?.head ?? '', /connection: close/i)
})

test('a handler that never ends is interrupted: its caller gets 503, its tasks are dropped', async (t) => {
  const dropped = collect(t, 'scope.dropped')
  const { handler, scopes } = gated()
  const server = await open({ 'get /slow': { handler } }, { stopTimeoutMs: 50 })
  const waiting = get(server, '/slow')
  await until(() => scopes.length > 0, { what: 'the handler to run' })
  await server.stop()
  const { status, json } = await waiting
  assert.equal(status, 503)
  assert.equal(json.error, 'SERVER_STOPPING')
  assert.equal(scopes[0]?.state, 'dropped')
  assert.equal(dropped.length, 1)
})

test('a body that never ends does not hold a stop', async () => {
  const server = await open({ 'post /a': { body: anyBody, handler: () => ({}) } }, { stopTimeoutMs: 50 })
  const head = 'POST /a HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{'
  const received = talk(server, head)
  await get(server, '/ping')
  await server.stop()
  const [reply] = rawReplies(await received)
  assert.equal(reply?.status, 503)
})

test('a store that never answers does not hold a stop, and its request gets no 2xx', async () => {
  const { handler, scopes, open: openGate } = gated()
  const release = () => new Promise<never>(() => undefined)
  const server = await open({ 'get /a': { handler } }, { release, stopTimeoutMs: 50 })
  const waiting = get(server, '/a')
  await until(() => scopes.length > 0, { what: 'the handler to run' })
  openGate()
  const refused = assert.rejects(waiting)
  await server.stop()
  await refused
})

test('while it stops a server is not ready, but alive', async () => {
  const { handler, scopes, open: openGate } = gated()
  const server = await open({ 'get /slow': { handler } })
  const waiting = get(server, '/slow')
  await until(() => scopes.length > 0, { what: 'the handler to run' })
  const stopping = server.stop()
  const ready = await server.inject({ method: 'GET', url: '/health/ready' })
  assert.equal(ready.statusCode, 503)
  assert.equal((await server.inject({ method: 'GET', url: '/health/live' })).statusCode, 200)
  openGate()
  await Promise.all([waiting, stopping])
})

test('the port is free again after a stop', async (t) => {
  const server = await open({})
  const { port } = server.address
  await server.stop()
  const second = await serve(t, { 'get /a': { handler: () => ({}) } }, { port })
  assert.equal((await get(second, '/a')).status, 200)
})

test('inject serves a request without a connection, through the same pipeline', async (t) => {
  const server = await serve(t, { 'post /a': { body: anyBody, handler: (body: unknown) => ({ body }) } })
  const good = await server.inject({ method: 'POST', url: '/a', payload: { a: 1 } })
  assert.deepEqual(good.json(), { body: { a: 1 } })
  const bad = await server.inject({
    method: 'POST',
    url: '/a',
    payload: '{',
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(bad.statusCode, 400)
})
