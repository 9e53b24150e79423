import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import { SetupError } from '../../src/core/errors.ts'
import type { ReportData } from '../../src/core/report.ts'
import { Reporter } from '../../src/core/reporter.ts'
import { openHttp } from '../../src/http/server.ts'
import { until } from '../support/until.ts'
import { anyBody, collect, get, httpOptions, post, serve, type TestOperations, talk } from './service.ts'

const echo: TestOperations = {
  'post /echo': { body: anyBody, handler: (body) => body },
  'get /hello': { handler: () => ({ hello: 'world' }) },
}

function plugins(register: (fastify: FastifyInstance) => unknown) {
  return { plugins: { file: 'service.ts', register } }
}

test("a service's hooks run around the pipeline in Fastify's order, and the body is still the pipeline's", async (t) => {
  const seen: string[] = []
  const server = await serve(
    t,
    echo,
    plugins((fastify) => {
      fastify.addHook('onRequest', async () => void seen.push('onRequest'))
      fastify.addHook('preParsing', async () => void seen.push('preParsing'))
      fastify.addHook('preValidation', async () => void seen.push('preValidation'))
      fastify.addHook('preHandler', async ({ body }) => void seen.push(`preHandler ${String(body)}`))
      fastify.addHook('onSend', async (_request, reply, payload) => {
        seen.push(`onSend ${String(payload)}`)
        reply.header('x-hooked', 'yes')
        return payload
      })
      fastify.addHook('onResponse', async () => void seen.push('onResponse'))
    }),
  )
  const { json, headers } = await post(server, '/echo?a=1', { a: [1] })
  assert.deepEqual(json, { a: [1] })
  assert.equal(headers.get('x-hooked'), 'yes')
  await until(() => seen.length === 6, { what: 'onResponse' })
  assert.deepEqual(seen, [
    'onRequest',
    'preParsing',
    'preValidation',
    'preHandler undefined',
    'onSend {"a":[1]}',
    'onResponse',
  ])
})

test('behind hooks requests are still checked, refused and limited by the pipeline', async (t) => {
  const server = await serve(t, echo, { ...plugins(() => undefined), bodyLimit: 100 })
  assert.equal((await post(server, '/echo', '{"a":')).json.error, 'BODY_NOT_JSON')
  assert.equal((await post(server, '/echo', { a: 'x'.repeat(200) })).json.error, 'BODY_TOO_LARGE')
  assert.equal(
    (await post(server, '/echo', 'a=1', { 'content-type': 'text/csv' })).json.error,
    'UNSUPPORTED_MEDIA_TYPE',
  )
  assert.equal((await get(server, '/hello', { method: 'PUT' })).json.error, 'METHOD_NOT_ALLOWED')
  assert.equal((await get(server, '/nowhere')).json.error, 'NOT_FOUND')
  assert.match(
    await talk(server, 'GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'),
    /"hello":"world"/,
  )
})

test('a service may have routes of its own, with bodies and queries parsed by Fastify, and a line in the log', async (t) => {
  const ends = collect(t, 'request.end')
  const server = await serve(
    t,
    echo,
    plugins((fastify) => {
      fastify.post('/own', async ({ body, query }) => ({ body, query }))
      fastify.get('/own/crash', async () => assert.fail('own'))
    }),
  )
  assert.deepEqual((await post(server, '/own?a=1', { b: 2 })).json, { body: { b: 2 }, query: { a: '1' } })
  assert.deepEqual((await post(server, '/echo', { b: 2 })).json, { b: 2 })
  assert.equal((await get(server, '/own/crash')).json.error, 'SERVER_ERROR')
  await get(server, '/ping')
  await until(() => ends.length === 3, { what: 'the lines of three requests' })
  assert.deepEqual(
    ends.map(({ url, status, error }) => [url, status, error]),
    [
      ['/own', 200, undefined],
      ['/echo', 200, undefined],
      ['/own/crash', 500, 'SERVER_ERROR'],
    ],
  )
})

test('a hook that refuses is believed; one that crashes is a crash, told as such', async (t) => {
  const crashes = collect(t, 'request.crash')
  const told: ReportData[] = []
  const facts = { fqdn: 'here', port: 1, api_name: 'test', api_version: '1', env: 'test' }
  const reporter = new Reporter((_title, data) => void told.push(data), facts)
  const server = await serve(t, echo, {
    reporter,
    ...plugins((fastify) => {
      fastify.addHook('onRequest', async ({ url }, reply) => {
        if (url === '/hello?limit') {
          reply.header('retry-after', '9')
          throw Object.assign(new Error('Slow down'), { statusCode: 429 })
        }
        if (url === '/hello?crash') throw new Error('hunter2')
      })
    }),
  })
  const limited = await get(server, '/hello?limit')
  assert.deepEqual(
    [limited.status, limited.json.error, limited.json.error_description],
    [429, 'TOO_MANY_REQUESTS', 'Slow down'],
  )
  assert.equal(limited.headers.get('retry-after'), '9')
  assert.equal(crashes.length, 0)
  const crashed = await get(server, '/hello?crash')
  assert.deepEqual([crashed.status, crashed.json.error], [500, 'SERVER_ERROR'])
  assert.ok(!crashed.text.includes('hunter2'))
  assert.equal(crashes[0]?.error.message, 'hunter2')
  await reporter.idle(5000)
  assert.deepEqual(
    told.map(({ error_id, request }) => [error_id, request?.method, request?.url]),
    [[crashed.json.error_id, 'GET', '/hello?crash']],
  )
  assert.equal((await get(server, '/hello')).status, 200)
})

test('a reply that a hook holds back still goes out while the server stops', async (t) => {
  const server = await serve(
    t,
    echo,
    plugins((fastify) => {
      fastify.addHook('onSend', async (_request, _reply, payload) => {
        void server.stop()
        await delay(100)
        return payload
      })
    }),
  )
  assert.deepEqual((await get(server, '/hello')).json, { hello: 'world' })
})

for (const [what, register] of [
  [
    'throws',
    () => {
      throw new Error('no such plugin')
    },
  ],
  ['rejects', () => Promise.reject(new Error('no such plugin'))],
  [
    'adds a plugin that fails later',
    (fastify: FastifyInstance) => {
      fastify.register(async () => {
        throw new Error('no such plugin')
      })
    },
  ],
] as const) {
  test(`register that ${what} ends the start with its file`, async () => {
    await assert.rejects(openHttp(httpOptions(echo, plugins(register))), (error) => {
      assert.ok(error instanceof SetupError)
      assert.equal(error.code, 'SERVICE_PLUGIN_FAILED')
      assert.match(error.message, /^service\.ts: .*no such plugin/)
      return true
    })
  })
}

const fromShop = { headers: { origin: 'https://shop.example' } }
const preflight = {
  method: 'OPTIONS',
  headers: {
    origin: 'https://shop.example',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type',
  },
}

test('without cors no page of another site is let in, and OPTIONS says which methods there are', async (t) => {
  const server = await serve(t, echo)
  assert.equal((await get(server, '/hello', fromShop)).headers.get('access-control-allow-origin'), null)
  const { status, headers } = await get(server, '/echo', preflight)
  assert.deepEqual([status, headers.get('allow')], [204, 'POST, OPTIONS'])
  assert.equal(headers.get('access-control-allow-origin'), null)
})

test('cors lets any page call every route, errors included, and answers preflights before authentication', async (t) => {
  const server = await serve(t, echo, { cors: '*' })
  for (const path of ['/hello', '/nowhere', '/ping']) {
    const { headers } = await get(server, path, fromShop)
    assert.equal(headers.get('access-control-allow-origin'), '*', path)
    assert.equal(headers.get('access-control-allow-credentials'), null)
    assert.match(headers.get('access-control-expose-headers') ?? '', /x-call-id/)
  }
  const { status, headers } = await get(server, '/echo', preflight)
  assert.equal(status, 204)
  assert.match(headers.get('access-control-allow-methods') ?? '', /POST/)
  assert.equal(headers.get('access-control-allow-headers'), 'authorization,content-type')
  const plain = await get(server, '/echo', { method: 'OPTIONS' })
  assert.deepEqual([plain.status, plain.headers.get('allow')], [204, 'POST, OPTIONS'])
})

test('cors with a list lets in those sites, with cookies, and no other', async (t) => {
  const server = await serve(t, echo, { cors: ['https://shop.example'] })
  const { headers } = await get(server, '/hello', fromShop)
  assert.equal(headers.get('access-control-allow-origin'), 'https://shop.example')
  assert.equal(headers.get('access-control-allow-credentials'), 'true')
  assert.match(headers.get('vary') ?? '', /origin/i)
  const other = await get(server, '/hello', { headers: { origin: 'https://evil.example' } })
  assert.equal(other.headers.get('access-control-allow-origin'), null)
})

test('compress shrinks long replies for callers that take it, and leaves short ones alone', async (t) => {
  const long = { text: 'long '.repeat(1000) }
  const server = await serve(t, { ...echo, 'get /long': { handler: () => long } }, { compress: true })
  const gzip = { 'accept-encoding': 'gzip' }
  const response = await server.inject({ url: '/long', headers: gzip })
  assert.equal(response.headers['content-encoding'], 'gzip')
  assert.deepEqual(JSON.parse(gunzipSync(response.rawPayload).toString()), long)
  assert.ok(response.rawPayload.length < 500)
  assert.equal((await server.inject({ url: '/hello', headers: gzip })).headers['content-encoding'], undefined)
  assert.deepEqual((await server.inject({ url: '/long' })).json(), long)
  // A body that was compressed is still refused, whatever plugin could read it.
  const packed = { 'content-encoding': 'gzip', 'content-type': 'application/json' }
  assert.equal((await post(server, '/echo', '{}', packed)).status, 415)
})
