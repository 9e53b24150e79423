import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Tokens } from '../../src/auth/tokens.ts'
import { type Context, currentContext } from '../../src/core/context.ts'
import { RequestError } from '../../src/core/errors.ts'
import { on } from '../../src/core/events.ts'
import { type HttpServer, openHttp } from '../../src/http/server.ts'
import type { Operation } from '../../src/spec/api.ts'
import type { Handler } from '../../src/spec/bindings.ts'
import { checksOf } from '../../src/spec/checks.ts'
import { ModelRegistry } from '../../src/spec/model-registry.ts'
import { get, httpOptions, serve } from '../http/service.ts'
import { ada, loginApi, loginAt } from './setup.ts'

const tokens = new Tokens({ secret: 's'.repeat(32) })
const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** The service `login`, over a real socket, with these handlers by operationId. */
async function loginService(
  t: TestContext,
  handlers: Readonly<Record<string, Handler>>,
): Promise<HttpServer> {
  const models = new ModelRegistry()
  const api = loginApi()
  const bindings = new Map<Operation, { handler: Handler; decorators: readonly [] }>(
    api.operations.map((operation) => [
      operation,
      { handler: handlers[operation.operationId ?? ''] ?? (() => undefined), decorators: [] },
    ]),
  )
  const server = await openHttp({
    ...httpOptions({}),
    apis: [api],
    bindings,
    checksOf: (known, operation) => checksOf(known, operation, models),
    tokens,
  })
  t.after(() => server.stop())
  return server
}

/** A service whose only operation asks `login` for a user. */
async function shopService(t: TestContext, ask: () => unknown, timeoutMs = 5000): Promise<HttpServer> {
  return await serve(t, { 'get /who': { handler: ask } }, { tokens, requestTimeoutMs: timeoutMs })
}

test("a service's handler calls another service, which knows user, call id and trace", async (t) => {
  const seen: (Context | undefined)[] = []
  const named: unknown[] = []
  const login = await loginService(t, {
    getUser: (parameters) => {
      seen.push(currentContext())
      named.push(parameters)
      return ada
    },
  })
  const client = loginAt(login.address.url)
  const since = new Date('2026-11-25T10:00:00Z')
  const shop = await serve(
    t,
    {
      'get /who': {
        authenticated: true,
        handler: async () => {
          const user = await client.getUser({
            id: 'ä/7',
            fields: ['name', 'born'],
            since,
            'X-Tenant': 'acme',
            session: 'a b',
          })
          return { name: user.name, isDate: user.born instanceof Date }
        },
      },
    },
    { tokens },
  )
  const token = await tokens.sign({ userId: 'anna' })
  const reply = await get(shop, '/who', {
    headers: { authorization: `Bearer ${token}`, 'x-call-id': 'call-1', traceparent: trace },
  })
  assert.deepEqual(reply.json, { name: 'Ada', isDate: true })
  const [context] = seen
  assert.equal(context?.user?.sub, 'anna')
  assert.equal(context?.callId, 'call-1')
  assert.equal(context?.trace, trace)
  assert.deepEqual(named, [
    { id: 'ä/7', fields: ['name', 'born'], since, 'X-Tenant': 'acme', session: 'a b' },
  ])
})

test('an error of the other service that the handler catches is its own; uncaught it becomes 502, told without details', async (t) => {
  const login = await loginService(t, {
    addUser: () => {
      throw new RequestError('USER_EXISTS', 'There is one in table users_2', {
        status: 409,
        userMessage: 'Taken',
      })
    },
  })
  const client = loginAt(login.address.url)
  const caught = await shopService(t, () =>
    client.addUser(undefined).catch((error) => ({ code: error.code, id: typeof error.errorId })),
  )
  assert.deepEqual((await get(caught, '/who')).json, { code: 'USER_EXISTS', id: 'string' })
  const crashes: Error[] = []
  t.after(on('request.crash', ({ error }) => crashes.push(error)))
  const uncaught = await get(await shopService(t, () => client.addUser(undefined)), '/who')
  assert.equal(uncaught.status, 502)
  assert.equal(uncaught.json.error, 'UPSTREAM_FAILED')
  assert.equal(uncaught.json.user_message, 'Taken')
  assert.doesNotMatch(uncaught.text, /users_2|USER_EXISTS|login/)
  assert.match(String(crashes[0]?.message), /login: addUser was answered 409 USER_EXISTS/)
})

test('a call that outlasts its request is given up, and the request ends in time', async (t) => {
  const login = await loginService(t, {
    getUser: () => new Promise(() => undefined),
    addUser: () => new Promise(() => undefined),
  })
  const client = loginAt(login.address.url, { timeoutMs: 60_000 })
  const failed = Promise.withResolvers<unknown>()
  const shop = await shopService(t, () => client.addUser(undefined).catch(failed.resolve), 100)
  const reply = await get(shop, '/who')
  assert.ok(reply.status === 408 || reply.status === 200, String(reply.status))
  // Whichever of both clocks is first: the call's own, or the request's.
  assert.match(
    String(await failed.promise),
    /what was left of its request's time|The request took longer than/,
  )
  const timed = await shopService(t, () => client.addUser(undefined, { timeout: 50 }))
  const answer = await get(timed, '/who')
  assert.equal(answer.status, 504)
  assert.equal(answer.json.error, 'UPSTREAM_TIMEOUT')
})
