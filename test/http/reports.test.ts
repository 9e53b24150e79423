import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { currentCallId, currentUser } from '../../src/core/context.ts'
import { MacaronError } from '../../src/core/errors.ts'
import type { ErrorReporter, ReportData } from '../../src/core/report.ts'
import { Reporter } from '../../src/core/reporter.ts'
import { reply } from '../../src/http/reply.ts'
import { until } from '../support/until.ts'
import { anyBody, collect, get, post, serve, type TestOperations } from './service.ts'

/** What a service's reporter is told of requests, and what it can't do to them. */

interface Told {
  readonly title: string
  readonly data: ReportData
  readonly error: Error
  readonly callId: string | undefined
  readonly user: string | undefined
}

function listening(): { told: Told[]; reporter: Reporter } {
  const told: Told[] = []
  const reporter = reporterOf((title, data, error) => {
    told.push({ title, data, error, callId: currentCallId(), user: currentUser()?.sub })
  })
  return { told, reporter }
}

function reporterOf(tell: ErrorReporter): Reporter {
  return new Reporter(tell, {
    fqdn: hostname(),
    port: 1,
    api_name: 'test',
    api_version: '1.0.0',
    env: 'test',
  })
}

async function one(told: readonly Told[]): Promise<Told> {
  return await until(() => told[0], { what: 'a report' })
}

const crashing: TestOperations = {
  'post /things/{id}': {
    body: anyBody,
    binding: 'shop.api.do_thing',
    handler: () => {
      throw new Error('no such table')
    },
  },
}

test('a crash is reported with title, real error, reply, request and server, in the context of the request', async (t) => {
  const { told, reporter } = listening()
  const server = await serve(t, crashing, {
    reporter,
    contextHeaders: ['x-tenant', 'x-forwarded-for'],
    defaultUser: { sub: 'nobody' },
  })
  const { json } = await post(
    server,
    '/things/7?sort=name',
    { a: 1 },
    { 'x-call-id': 'c7', 'x-tenant': 'acme', 'x-forwarded-for': '10.0.0.7', 'accept-language': 'nl' },
  )
  const { title, data, error, callId, user } = await one(told)
  assert.equal(title, 'shop.api.do_thing(): no such table')
  assert.equal(error.message, 'no such table')
  assert.deepEqual([callId, user], ['c7', 'nobody'])
  assert.equal(data.error_id, json.error_id)
  assert.deepEqual([data.level, data.is_fatal_error], ['fatal', true])
  assert.match(data.trace, /no such table[\s\S]*reports\.test\.ts/)
  assert.deepEqual(data.response, {
    status: 500,
    error_code: 'SERVER_ERROR',
    error_description: json.error_description,
    user_message: undefined,
  })
  assert.deepEqual(data.server, {
    fqdn: hostname(),
    port: 1,
    api_name: 'test',
    api_version: '1.0.0',
    env: 'test',
  })
  assert.deepEqual([data.user.id, data.user.is_auth, data.user.forwarded_ip], ['nobody', false, '10.0.0.7'])
  assert.deepEqual([data.user.language, data.user.ip], ['nl', '127.0.0.1'])
  const { id, url, base_url, path, method, params, headers, body } = data.request ?? assert.fail('no request')
  assert.deepEqual(
    { id, url, base_url, path, method, params, headers, body },
    {
      id: 'c7',
      url: '/things/7?sort=name',
      base_url: '/things/7',
      path: '/things/{id}',
      method: 'POST',
      params: { id: '7' },
      headers: { 'x-tenant': 'acme', 'x-forwarded-for': '10.0.0.7' },
      body: { a: 1 },
    },
  )
  const took = Date.parse(data.time.end) - Date.parse(data.time.start)
  assert.ok(took >= 0 && took < 60_000 && data.time.microsecs > 0)
})

test('a report holds no credentials, wherever they stand', async (t) => {
  const { told, reporter } = listening()
  const failing: TestOperations = {
    'post /login': {
      body: anyBody,
      handler: () => {
        throw new Error(`refused: Bearer hunter2hunter2`)
      },
    },
  }
  const contextHeaders = ['authorization', 'cookie', 'x-api-key', 'x-auth-token']
  const server = await serve(t, failing, { reporter, contextHeaders })
  await post(
    server,
    '/login?token=hunter2hunter2&name=ada',
    { name: 'ada', password: 'hunter2', deep: [{ apiKey: 'hunter2' }] },
    {
      authorization: 'Bearer hunter2',
      cookie: 'token=hunter2',
      'x-api-key': 'hunter2',
      'x-auth-token': 'hunter2',
    },
  )
  const { title, data } = await one(told)
  assert.ok(!`${title}${JSON.stringify(data)}`.includes('hunter2'), JSON.stringify(data))
  assert.ok(JSON.stringify(data).includes('"name":"ada"'))
})

test('only replies of 500 or more are reported, also those that a handler gives itself', async (t) => {
  const { told, reporter } = listening()
  const body = (status: number) => ({ status, error: 'OWN', error_description: 'said so', error_id: 'e1' })
  const server = await serve(
    t,
    {
      'get /refused': { handler: () => reply(403, body(403)) },
      'get /gone': {
        handler: () => {
          throw new MacaronError('GONE', 'gone', { status: 410 })
        },
      },
      'get /down': { handler: () => reply(502, body(502)) },
    },
    { reporter },
  )
  for (const path of ['/refused', '/gone', '/nowhere', '/down']) await get(server, path)
  const { title, data } = await one(told)
  assert.equal(title, 'test(): the handler has answered 502 OWN said so')
  assert.equal(data.error_id, 'e1')
  assert.deepEqual(data.response, {
    status: 502,
    error_code: 'OWN',
    error_description: 'said so',
    user_message: undefined,
  })
  await reporter.idle(1000)
  assert.equal(told.length, 1)
})

test('a call that takes too long is reported as slow, not as fatal; a quick one and a slow upload are not', async (t) => {
  const { told, reporter } = listening()
  const slow = collect(t, 'request.slow')
  const server = await serve(
    t,
    {
      'get /slow': { binding: 'shop.api.do_slow', handler: () => delay(60).then(() => ({})) },
      'get /quick': { handler: () => ({}) },
    },
    { reporter, slowCallMs: 50 },
  )
  await get(server, '/quick')
  await get(server, '/slow', { headers: { 'x-call-id': 'c1' } })
  const { title, data } = await one(told)
  assert.match(title, /^shop\.api\.do_slow\(\) took \d+ ms$/)
  assert.deepEqual([data.level, data.is_fatal_error, data.response], ['warning', false, undefined])
  assert.deepEqual(
    slow.map(({ callId, url }) => ({ callId, url })),
    [{ callId: 'c1', url: '/slow' }],
  )
})

const broken: readonly (readonly [string, ErrorReporter])[] = [
  [
    'throws',
    () => {
      throw new Error('the reporter is broken')
    },
  ],
  ['rejects', () => Promise.reject(new Error('the reporter is broken'))],
  ['throws what is no error', () => Promise.reject(Object.create(null))],
]

for (const [what, tell] of broken) {
  test(`a reporter that ${what} costs the caller nothing and is told`, async (t) => {
    const notices = collect(t, 'notice')
    const server = await serve(t, crashing, { reporter: reporterOf(tell) })
    assert.equal((await post(server, '/things/7', {})).status, 500)
    await until(() => notices.some(({ message }) => message.startsWith('errorReporter has thrown')), {
      what: 'the notice',
    })
  })
}

test('a reporter that never ends holds up no reply, no later report, and the end of the process only so long', async (t) => {
  let calls = 0
  const reporter = reporterOf(() => {
    calls++
    return new Promise(() => undefined)
  })
  const server = await serve(t, crashing, { reporter })
  for (let count = 1; count <= 3; count++) assert.equal((await post(server, '/things/7', {})).status, 500)
  await until(() => calls === 3, { what: 'three reports' })
  await reporter.idle(20)
})

test('a thousand reports that never end are kept, further ones only logged', async (t) => {
  const notices = collect(t, 'notice')
  let calls = 0
  const reporter = reporterOf(() => {
    calls++
    return new Promise(() => undefined)
  })
  const failure = { title: 'x()', error: new Error('x'), errorId: 'e', level: 'fatal' } as const
  for (let count = 0; count < 1200; count++) reporter.report(failure, undefined)
  await until(() => calls === 1000, { what: 'the reports' })
  assert.equal(notices.length, 1)
  assert.match(notices[0]?.message ?? '', /further ones are only logged/)
})
