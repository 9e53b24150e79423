import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tokens } from '../../src/auth/tokens.ts'
import { StoreError } from '../../src/core/errors.ts'
import type { EngineHealth } from '../../src/engines/engine.ts'
import { get, serve } from './service.ts'

const well: EngineHealth = {
  ok: true,
  storing: true,
  reasons: [],
  warnings: [],
  waiting: 3,
  running: 2,
  parked: 1,
  oldestWaitMs: 12,
  workers: 1,
}

test('ping answers an empty object, as in PyMacaron', async (t) => {
  const { status, json, headers } = await get(await serve(t, {}), '/ping')
  assert.equal(status, 200)
  assert.deepEqual(json, {})
  assert.equal(headers.get('cache-control'), 'no-store')
})

test('ping asks the service, and what that throws, or how long it takes, is the reply', async (t) => {
  let asked = 0
  const well = await serve(t, {}, { onPing: async () => ++asked })
  assert.deepEqual((await get(well, '/ping')).json, {})
  assert.equal(asked, 1)
  const refusing = () => {
    throw new StoreError('STORE_BUSY', 'busy')
  }
  assert.equal((await get(await serve(t, {}, { onPing: refusing }), '/ping')).status, 503)
  const hanging = { onPing: () => new Promise(() => undefined), requestTimeoutMs: 20 }
  const { status, json } = await get(await serve(t, {}, hanging), '/ping')
  assert.deepEqual([status, json.error], [408, 'REQUEST_TIMEOUT'])
})

test('version says name, version, APIs and environment; auth/version the same to those with a token', async (t) => {
  const tokens = new Tokens({ secret: 'a secret of this test, long enough to be one' })
  const server = await serve(t, {}, { tokens })
  const version = { name: 'test', version: '1.0.0', apis: ['test'], env: 'test', pym_env: 'test' }
  assert.deepEqual((await get(server, '/version')).json, version)
  const bare = await get(server, '/auth/version')
  assert.deepEqual([bare.status, bare.json.error], [401, 'AUTHORIZATION_HEADER_MISSING'])
  const headers = { authorization: `Bearer ${await tokens.sign({ userId: 'ada' })}` }
  assert.deepEqual((await get(server, '/auth/version', { headers })).json, version)
  const expired = await tokens.sign({ userId: 'ada', iat: 1, expiresIn: 1 })
  const late = await get(server, '/auth/version', { headers: { cookie: `token=Bearer%20${expired}` } })
  assert.deepEqual([late.status, late.json.error], [401, 'TOKEN_EXPIRED'])
  assert.equal((await get(await serve(t, {}), '/auth/version')).status, 404)
})

test('a live process answers 200, also to HEAD', async (t) => {
  const server = await serve(t, {})
  assert.equal((await get(server, '/health/live')).status, 200)
  assert.equal((await get(server, '/health/live', { method: 'HEAD' })).status, 200)
})

test('a server is ready while tasks can be stored; the body says what else is wrong', async (t) => {
  let health = well
  const server = await serve(t, {}, { health: async () => health })
  const good = await get(server, '/health/ready')
  assert.equal(good.status, 200)
  assert.deepEqual(good.json, { ...well })
  health = { ...well, ok: false, reasons: ['3 tasks wait and no worker runs'] }
  const waiting = await get(server, '/health/ready')
  assert.equal(waiting.status, 200)
  assert.deepEqual([waiting.json.ok, waiting.json.reasons], [false, ['3 tasks wait and no worker runs']])
  health = { ...well, ok: false, storing: false, reasons: ['The disk is full'] }
  const bad = await get(server, '/health/ready')
  assert.equal(bad.status, 503)
  assert.deepEqual(bad.json.reasons, ['The disk is full'])
})

test('a store whose health cannot be told is not ready', async (t) => {
  const health = async () => {
    throw new StoreError('STORE_CORRUPT', 'The store is corrupt')
  }
  const { status, json } = await get(await serve(t, {}, { health }), '/health/ready')
  assert.equal(status, 503)
  assert.match(String(json.reasons), /The store is corrupt/)
})

test('a service without tasks is ready when it answers', async (t) => {
  assert.equal((await get(await serve(t, {}), '/health/ready')).status, 200)
})

test('a spec that has such a path keeps it', async (t) => {
  const server = await serve(t, {
    'get /ping': { handler: () => ({ own: true }) },
    'head /health/live': { handler: () => ({}) },
    'post /health/ready': { handler: () => ({ posted: true }) },
  })
  assert.deepEqual((await get(server, '/ping')).json, { own: true })
  assert.equal((await get(server, '/ping', { method: 'HEAD' })).status, 405)
  assert.equal((await get(server, '/health/live')).status, 405)
  assert.equal((await get(server, '/health/ready')).status, 200)
  assert.deepEqual((await get(server, '/health/ready', { method: 'POST' })).json, { posted: true })
})

test('other methods get 405', async (t) => {
  const { status, headers } = await get(await serve(t, {}), '/ping', { method: 'POST' })
  assert.equal(status, 405)
  assert.equal(headers.get('allow'), 'GET, HEAD')
})
