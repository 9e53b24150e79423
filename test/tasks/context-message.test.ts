import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Context, RequestSnapshot } from '../../src/core/context.ts'
import { attemptContext, contextText, readContext } from '../../src/tasks/context-message.ts'
import { contextOf } from '../core/support.ts'
import { Money, models, runtimeOf } from './support.ts'

const request: RequestSnapshot = {
  method: 'POST',
  url: '/carts/5?since=2026-01-01T00:00:00Z',
  path: '/carts/{id}',
  params: { id: 5n },
  query: { since: new Date('2026-01-01'), odd: undefined },
  headers: { 'x-shop': 'berlin' },
  ip: '10.0.0.1',
  userAgent: 'curl',
  language: 'de',
  body: { price: new Money({ amount: 3, currency: 'EUR' }), $ref: '#/x' },
}

const full = (): Context =>
  contextOf({
    callId: 'call-9',
    request,
    user: { sub: 'anna', roles: ['admin'], $odd: null },
    token: { raw: 'hunter2', expiresAt: 1_900_000_000_000 },
    trace: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    traceState: 'a=1',
    values: { cart: new Set([1]), money: new Money({ amount: 1, currency: 'CHF' }) },
  })

suite('a context that travels', () => {
  test('reads in the task as in the endpoint, down to the types of parameters, body and values', () => {
    const runtime = runtimeOf()
    const { text, ...opened } = readContext(contextText(full(), runtime), models)
    const { scope: _scope, task: _task, text: _text, ...original } = full()
    assert.deepStrictEqual(opened, { ...original, assumed: undefined })
    assert.ok(text !== undefined)
  })

  test('of nobody, without request, reads as nobody’s', () => {
    const runtime = runtimeOf()
    const opened = readContext(contextText(contextOf(), runtime), models)
    assert.deepEqual(
      [opened.callId, opened.request, opened.user, opened.token, opened.trace, opened.values],
      ['call-1', undefined, undefined, undefined, undefined, {}],
    )
  })

  test('leaves the token behind with context_token: false', () => {
    const runtime = runtimeOf({ contextToken: false })
    const opened = readContext(contextText(full(), runtime), models)
    assert.deepEqual([opened.token, opened.user?.sub], [undefined, 'anna'])
  })

  test('builds the snapshot of the request only when it travels, and only once', () => {
    let built = 0
    const lazy = Object.defineProperty(full(), 'request', {
      get: () => {
        built++
        return request
      },
    })
    const runtime = runtimeOf()
    assert.equal(built, 0)
    assert.equal(contextText(lazy, runtime), contextText(lazy, runtime))
    assert.equal(built, 1)
  })

  test('gives each attempt a scope and values of its own', () => {
    const runtime = runtimeOf()
    const text = contextText(full(), runtime)
    const task = { id: 't', name: 'mail', attempt: 2 }
    const [one, two] = [0, 1].map(() => attemptContext(readContext(text, models), task))
    assert.ok(one !== undefined && two !== undefined)
    assert.notEqual(one.scope, two.scope)
    assert.notEqual(one.values.cart, two.values.cart)
    assert.deepEqual([one.task, one.scope.state], [task, 'open'])
  })

  test('that is no context is undecodable, and no error quotes it', () => {
    for (const text of [
      'hunter2',
      '',
      'null',
      '[]',
      '{"callId":7}',
      '{"callId":"c","user":{"$":"hunter2"}}',
    ]) {
      assert.throws(
        () => readContext(text, models),
        (error: Error & { code?: string }) =>
          error.code === 'UNDECODABLE' &&
          (text.includes('"$"') || !`${error.message}${error.cause}`.includes('hunter2')),
      )
    }
  })

  test('is too large for the store only with a clear error', () => {
    const runtime = runtimeOf({ maxBytes: 1024 })
    const large = contextOf({ values: { note: 'x'.repeat(140_000) } })
    assert.throws(() => contextText(large, runtime), {
      code: 'ARGUMENT_TOO_LARGE',
      message: /context of the fire takes more than the 131072 bytes allowed/,
    })
  })
})
