import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineError } from '../../src/core/define-error.ts'
import { MacaronError, RequestError, StoreError, TaskError } from '../../src/core/errors.ts'
import { ModelError } from '../../src/spec/models.ts'
import { collect, get, serve } from './service.ts'

class AccountLocked extends MacaronError {
  constructor() {
    super('ACCOUNT_LOCKED', 'The account is locked until tomorrow', {
      status: 423,
      userMessage: 'Your account is locked.',
    })
  }
}

class UpstreamDown extends MacaronError {
  constructor() {
    super('UPSTREAM_DOWN', 'The mail service does not answer', { status: 502 })
  }
}

class OwnFailure extends MacaronError {
  constructor() {
    super('OWN_FAILURE', 'Said on purpose')
  }
}

function failing(make: () => unknown) {
  return {
    'get /thrown': {
      handler: () => {
        throw make()
      },
    },
    'get /rejected': { handler: async () => Promise.reject(make()) },
    'get /returned': { handler: () => make() },
  }
}

test('an error of the service is told by its own code, status and messages, however it leaves the handler', async (t) => {
  const server = await serve(
    t,
    failing(() => new AccountLocked()),
  )
  for (const path of ['/thrown', '/rejected', '/returned']) {
    const { status, json, headers } = await get(server, path)
    assert.equal(status, 423)
    assert.match(headers.get('content-type') ?? '', /^application\/json/)
    const { error_id, ...rest } = json
    assert.match(String(error_id), /^[\da-f-]{36}$/)
    assert.deepEqual(rest, {
      status: 423,
      error: 'ACCOUNT_LOCKED',
      error_description: 'The account is locked until tomorrow',
      user_message: 'Your account is locked.',
    })
  }
})

test('an error of the service with a 5xx status is told as it is, and reported', async (t) => {
  const crashes = collect(t, 'request.crash')
  const server = await serve(
    t,
    failing(() => new UpstreamDown()),
  )
  const { status, json } = await get(server, '/thrown')
  assert.equal(status, 502)
  assert.equal(json.error_description, 'The mail service does not answer')
  assert.equal(crashes.length, 1)
})

test('an own class is told as it is, also with status 500', async (t) => {
  const server = await serve(
    t,
    failing(() => new OwnFailure()),
  )
  const { status, json } = await get(server, '/thrown')
  assert.equal(status, 500)
  assert.equal(json.error_description, 'Said on purpose')
})

test('defineError makes errors that are told as they are defined, or as they were thrown', async (t) => {
  const NoFunds = defineError('NO_FUNDS', 402, 'The account is empty')
  assert.equal(NoFunds.name, 'NoFunds')
  assert.deepEqual([NoFunds.code, NoFunds.status], ['NO_FUNDS', 402])
  const cause = new Error('bank')
  const made = new NoFunds('Only 3 left', { userMessage: 'You are out of money.', cause })
  assert.ok(made instanceof NoFunds && made instanceof MacaronError)
  assert.equal(made.cause, cause)
  const plain = await get(
    await serve(
      t,
      failing(() => new NoFunds()),
    ),
    '/thrown',
  )
  assert.deepEqual(
    [plain.status, plain.json.error, plain.json.error_description, 'user_message' in plain.json],
    [402, 'NO_FUNDS', 'The account is empty', false],
  )
  const { json } = await get(
    await serve(
      t,
      failing(() => made),
    ),
    '/returned',
  )
  assert.deepEqual([json.error_description, json.user_message], ['Only 3 left', 'You are out of money.'])
  const Broken = defineError('BANK_BROKEN', 500, 'Meant for the caller')
  const broken = await get(
    await serve(
      t,
      failing(() => new Broken()),
    ),
    '/rejected',
  )
  assert.equal(broken.json.error_description, 'Meant for the caller')
})

test('defineError refuses codes and statuses that callers could not rely on', () => {
  for (const [code, status] of [
    ['no_funds', 402],
    ['', 402],
    ['NO-FUNDS', 402],
    ['NO_FUNDS', 200],
    ['NO_FUNDS', 600],
    ['NO_FUNDS', 402.5],
  ] as const) {
    assert.throws(() => defineError(code, status, 'x'), { code: 'BAD_ERROR' })
  }
})

test('an error that is not what the spec declares for its status is told, and sent as it is', async (t) => {
  const told = collect(t, 'reply.mismatch')
  const checks = { reply: () => [{ path: 'body.reason', message: 'is required' }] }
  const handler = () => {
    throw new AccountLocked()
  }
  const server = await serve(t, { 'get /a': { replies: { 423: true }, checks, handler } })
  const { status, json } = await get(server, '/a', { headers: { 'x-call-id': 'c2' } })
  assert.equal(status, 423)
  assert.equal(json.error, 'ACCOUNT_LOCKED')
  assert.deepEqual(told, [
    {
      callId: 'c2',
      userId: undefined,
      operation: 'GET /a',
      status: 423,
      faults: ['body.reason: is required'],
    },
  ])
  const off = await serve(t, { 'get /a': { replies: { 423: true }, checks, handler } }, { replyCheck: 'off' })
  await get(off, '/a')
  assert.equal(told.length, 1)
})

const secret = 'password=hunter2 at db.internal'

for (const [what, make] of [
  ['an Error', () => new Error(secret)],
  [
    'an Error with a status of its own',
    () => Object.assign(new Error(secret), { status: 404, statusCode: 404 }),
  ],
  ['an Error with a cause', () => new TypeError(secret, { cause: new Error(secret) })],
  ['a text', () => secret],
  ['undefined', () => undefined],
  ['null', () => null],
  ['an object that has no text', () => Object.create(null)],
  ['an object', () => ({ message: secret, toString: () => secret })],
] as const) {
  test(`${what} that nobody handles leaks nothing, in production or not`, async (t) => {
    const crashes = collect(t, 'request.crash')
    for (const production of [true, false]) {
      const server = await serve(t, failing(make), { production })
      for (const path of ['/thrown', '/rejected']) {
        const { status, text, json } = await get(server, path)
        assert.equal(status, 500)
        assert.ok(!text.includes('hunter2'), text)
        assert.equal(crashes.at(-1)?.errorId, json.error_id)
      }
    }
    assert.equal(crashes.length, 4)
  })
}

test('an unhandled error is SERVER_ERROR, and the crash carries the real one', async (t) => {
  const crashes = collect(t, 'request.crash')
  const real = new Error(secret)
  const server = await serve(
    t,
    failing(() => real),
  )
  const { json } = await get(server, '/thrown?token=abc', { headers: { 'x-call-id': 'c9' } })
  assert.equal(json.error, 'SERVER_ERROR')
  const { error, ...rest } = crashes[0] ?? assert.fail('no crash was told')
  assert.equal(error, real)
  assert.deepEqual(rest, {
    callId: 'c9',
    method: 'GET',
    url: '/thrown',
    userId: undefined,
    errorId: json.error_id,
  })
})

test('errors that Macaron throws at the author keep their code and hide their text', async (t) => {
  const server = await serve(
    t,
    failing(() => new TaskError('NO_SCOPE', secret)),
  )
  const { status, json, text } = await get(server, '/thrown')
  assert.equal(status, 500)
  assert.equal(json.error, 'NO_SCOPE')
  assert.ok(!text.includes('hunter2'))
})

test("a model that the handler made wrongly is the server's fault and is not described to the caller", async (t) => {
  const make = () => new ModelError('Account', [{ path: 'secretField', message: 'is required' }])
  const { status, json, text } = await get(await serve(t, failing(make)), '/thrown')
  assert.equal(status, 500)
  assert.equal(json.error, 'MODEL_INVALID')
  assert.ok(!text.includes('secretField'))
})

test('errors of the task store are 503 TASKS_UNAVAILABLE with Retry-After, without its file names', async (t) => {
  const make = () => new StoreError('STORE_FULL', `disk full: ${secret}`)
  const { status, json, text, headers } = await get(await serve(t, failing(make)), '/thrown')
  assert.equal(status, 503)
  assert.equal(json.error, 'TASKS_UNAVAILABLE')
  assert.match(String(json.error_description), /STORE_FULL/)
  assert.equal(headers.get('retry-after'), '1')
  assert.ok(!text.includes('hunter2'))
})

test('a status that is no error becomes 500', async (t) => {
  const make = () => new RequestError('ODD', 'An error with a status of success', { status: 200 })
  assert.equal((await get(await serve(t, failing(make)), '/thrown')).status, 500)
})

test('a 4xx is not reported as a crash', async (t) => {
  const crashes = collect(t, 'request.crash')
  await get(
    await serve(
      t,
      failing(() => new AccountLocked()),
    ),
    '/thrown',
  )
  assert.equal(crashes.length, 0)
})
