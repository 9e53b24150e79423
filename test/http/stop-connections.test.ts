import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { HttpOptions } from '../../src/http/options.ts'
import { type HttpServer, openHttp } from '../../src/http/server.ts'
import { until } from '../support/until.ts'
import {
  anyBody,
  get,
  httpOptions,
  rawReplies,
  refusesConnections,
  type TestOperations,
  talk,
} from './service.ts'

/** Something that holds what passes it until it is opened, and tells how many it holds. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  let held = 0
  const hold = () => {
    held += 1
    return promise
  }
  return {
    hold,
    open: () => resolve(),
    holds: (count: number) => until(() => held === count, { what: 'the gate to hold' }),
  }
}

type Gate = ReturnType<typeof gate>

function open(operations: TestOperations, options: Partial<HttpOptions> = {}): Promise<HttpServer> {
  return openHttp(httpOptions(operations, options))
}

function plugins(register: (fastify: FastifyInstance) => unknown): Partial<HttpOptions> {
  return { plugins: { file: 'service.ts', register } }
}

const hello: TestOperations = { 'get /hello': { handler: () => ({ hello: 'world' }) } }

const healthy = {
  ok: true,
  storing: true,
  reasons: [],
  warnings: [],
  waiting: 0,
  running: 0,
  parked: 0,
  oldestWaitMs: 0,
  workers: 0,
}

/** Where a request may be when its server stops, outside of the pipeline. */
const places: Readonly<Record<string, (gate: Gate) => { path: string; options: Partial<HttpOptions> }>> = {
  "a route of the service's own": ({ hold }) => ({
    path: '/own',
    options: plugins((fastify) => fastify.get('/own', () => hold().then(() => ({})))),
  }),
  'a hook before the pipeline': ({ hold }) => ({
    path: '/hello',
    options: plugins((fastify) => fastify.addHook('onRequest', hold)),
  }),
  'a hook behind the pipeline': ({ hold }) => ({
    path: '/hello',
    options: plugins((fastify) => fastify.addHook('onSend', () => hold())),
  }),
  '/ping with a hook': ({ hold }) => ({ path: '/ping', options: { onPing: hold } }),
  '/health/ready of a slow store': ({ hold }) => ({
    path: '/health/ready',
    options: {
      health: async () => {
        await hold()
        return healthy
      },
    },
  }),
}

for (const [where, place] of Object.entries(places)) {
  test(`a request that is in ${where} is answered before its server has stopped, and told that it is the last`, async () => {
    const held = gate()
    const { path, options } = place(held)
    const server = await open(hello, { ...options, stopTimeoutMs: 60_000 })
    const waiting = get(server, path)
    await held.holds(1)
    const stopping = server.stop()
    await until(() => refusesConnections(server), { what: 'the port to close' })
    held.open()
    const { status, headers } = await waiting
    assert.equal(status, 200)
    assert.equal(headers.get('connection'), 'close')
    await stopping
  })
}

test('idle connections end at once, also while a request is served over another', async () => {
  const held = gate()
  const server = await open({ 'get /slow': { handler: () => held.hold() } }, { stopTimeoutMs: 60_000 })
  const idle = talk(server, 'GET /ping HTTP/1.1\r\nhost: x\r\n\r\n')
  const busy = get(server, '/slow')
  await held.holds(1)
  const stopping = server.stop()
  assert.equal(rawReplies(await idle)[0]?.status, 200)
  held.open()
  assert.equal((await busy).status, 200)
  await stopping
})

/** A connection whose other side reads nothing until it is told to. */
function slowReader(server: HttpServer, text: string) {
  const socket = connect(server.address.port, '127.0.0.1')
  socket.pause()
  socket.write(text)
  let received = 0
  const read = () =>
    new Promise<number>((resolve) => {
      socket.on('data', ({ length }) => {
        received += length
      })
      socket.on('error', () => undefined)
      socket.on('close', () => resolve(received)).resume()
    })
  return { read }
}

for (const path of ['/big', '/own-big']) {
  test(`a large reply of ${path} that is still on its way to a slow reader arrives whole`, async () => {
    const big = 'x'.repeat(30_000_000)
    let written = 0
    const server = await open(
      {
        'get /big': {
          handler: () => {
            written += 1
            return { big }
          },
        },
      },
      {
        ...plugins((fastify) =>
          fastify.get('/own-big', () => {
            written += 1
            return { big }
          }),
        ),
        stopTimeoutMs: 60_000,
      },
    )
    const reader = slowReader(server, `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)
    await until(() => written === 1, { what: 'the reply' })
    // By then the reply is with Node, which waits for the reader.
    await get(server, '/ping', { headers: { connection: 'close' } })
    const stopping = server.stop()
    assert.ok((await reader.read()) > big.length)
    await stopping
  })
}

test('a request that has arrived, but was not read yet, is answered', async () => {
  const server = await open(hello)
  for (let round = 0; round < 20; round += 1) {
    const again = await open(hello)
    const socket = connect(again.address.port, '127.0.0.1')
    const replies: Buffer[] = []
    socket.on('data', (bytes) => replies.push(bytes))
    socket.write('GET /hello HTTP/1.1\r\nhost: x\r\n\r\n')
    await until(() => replies.length === 1, { what: 'the first reply' })
    socket.write('GET /hello HTTP/1.1\r\nhost: x\r\n\r\n')
    await again.stop()
    await until(() => socket.destroyed, { what: 'the end of the connection' })
    assert.equal(rawReplies(Buffer.concat(replies).toString()).length, 2)
  }
  await server.stop()
})

test('a body that was announced with "Expect: 100-continue" may still come', async () => {
  const server = await open({ 'post /echo': { body: anyBody, handler: (body) => body } })
  const request = httpRequest(`${server.address.url}/echo`, {
    method: 'POST',
    headers: { expect: '100-continue', 'content-type': 'application/json' },
  })
  const continued = Promise.withResolvers<void>()
  const replied = Promise.withResolvers<string>()
  request.on('continue', continued.resolve)
  request.on('response', (response) => {
    response.setEncoding('utf8').on('data', replied.resolve)
  })
  request.flushHeaders()
  await continued.promise
  const stopping = server.stop()
  assert.equal((await server.inject({ url: '/health/ready' })).statusCode, 503)
  request.end('{"a":1}')
  assert.equal(await replied.promise, '{"a":1}')
  await stopping
})

test('requests that came one behind the other are answered in their order, whoever serves them', async () => {
  const held = gate()
  const server = await open(
    { 'get /slow': { handler: () => held.hold().then(() => ({ slow: true })) } },
    plugins((fastify) => fastify.get('/own', () => held.hold().then(() => ({ own: true })))),
  )
  const received = talk(
    server,
    ['/own', '/slow', '/own'].map((path) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`).join(''),
  )
  await held.holds(3)
  const stopping = server.stop()
  held.open()
  const replies = rawReplies(await received)
  assert.deepEqual(
    replies.map(({ json }) => json),
    [{ own: true }, { slow: true }, { own: true }],
  )
  const last = replies.map(({ head }) => /connection: close/i.test(head))
  assert.deepEqual(last, [false, false, true])
  await stopping
})

test('a request that comes while the server stops, behind one that is still served, is served too, and is the last then', async () => {
  const held = gate()
  const server = await open({ ...hello, 'get /slow': { handler: () => held.hold() } })
  const socket = connect(server.address.port, '127.0.0.1')
  const replies: Buffer[] = []
  socket.on('data', (bytes) => replies.push(bytes))
  socket.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n')
  await held.holds(1)
  const stopping = server.stop()
  assert.equal((await server.inject({ url: '/health/ready' })).statusCode, 503)
  socket.write('GET /hello HTTP/1.1\r\nhost: x\r\n\r\n', () => setImmediate(() => setImmediate(held.open)))
  await stopping
  await until(() => socket.destroyed, { what: 'the end of the connection' })
  const heads = rawReplies(Buffer.concat(replies).toString()).map(({ head }) => head)
  assert.deepEqual(
    heads.map((head) => /connection: close/i.test(head)),
    [false, true],
  )
})

test('rubbish behind a request of an own route does not take the place of its reply', async () => {
  const held = gate()
  const server = await open(
    {},
    plugins((fastify) => fastify.get('/own', () => held.hold().then(() => ({ own: true })))),
  )
  const received = talk(server, 'GET /own HTTP/1.1\r\nhost: x\r\n\r\n', 'rubbish\r\n\r\n')
  await held.holds(1)
  await get(server, '/ping')
  held.open()
  const replies = rawReplies(await received)
  assert.deepEqual(
    replies.map(({ status, json }) => [status, json]),
    [[200, { own: true }]],
  )
  await server.stop()
})

test('a body for an own route that turns out to be no HTTP gets 400 and holds nothing', async () => {
  const server = await open(
    {},
    plugins((fastify) => fastify.post('/own', async ({ body }) => ({ body }))),
  )
  const head =
    'POST /own HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n'
  const [reply] = rawReplies(await talk(server, `${head}zz\r\n`))
  assert.equal(reply?.status, 400)
  assert.equal(reply?.json.error, 'BAD_HTTP')
  await server.stop()
})

test('an own route that never answers, and one whose caller has gone, hold no stop', async () => {
  const held = gate()
  const server = await open(
    {},
    { ...plugins((fastify) => fastify.get('/own', () => held.hold())), stopTimeoutMs: 50 },
  )
  const cut = assert.rejects(get(server, '/own'))
  await held.holds(1)
  const gone = connect(server.address.port, '127.0.0.1')
  gone.write('GET /own HTTP/1.1\r\nhost: x\r\n\r\n')
  await held.holds(2)
  gone.destroy()
  await server.stop()
  await cut
})

test('a plugin can say goodbye over the connections it has upgraded, which end with the server', async () => {
  const upgraded: Socket[] = []
  const server = await open(
    hello,
    plugins((fastify) => {
      fastify.server.on('upgrade', (_request, socket) => {
        upgraded.push(socket as Socket)
        socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n')
      })
      fastify.addHook('preClose', async () => {
        for (const socket of upgraded) socket.write('goodbye')
      })
    }),
  )
  const received = talk(
    server,
    'GET /hello HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n',
  )
  await until(() => upgraded.length === 1, { what: 'the upgrade' })
  assert.equal((await get(server, '/hello')).status, 200)
  await server.stop()
  assert.match(await received, /101 Switching Protocols.*goodbye$/s)
})

test('where nothing takes upgrades a request for one is a request like any other', async () => {
  const server = await open(hello)
  const text = 'GET /hello HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n'
  const received = talk(server, text)
  await get(server, '/ping')
  await server.stop()
  assert.equal(rawReplies(await received)[0]?.status, 200)
})
