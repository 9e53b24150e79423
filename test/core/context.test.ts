import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type Context,
  contextValue,
  currentCallId,
  currentContext,
  currentRequest,
  currentTask,
  currentToken,
  currentUser,
  setContext,
  withContext,
} from '../../src/core/context.ts'
import { contextOf } from './support.ts'

test('outside of any context everything is undefined, and setContext says where to call it', () => {
  for (const ask of [currentContext, currentUser, currentRequest, currentCallId, currentTask, currentToken]) {
    assert.equal(ask(), undefined)
  }
  assert.equal(contextValue('x'), undefined)
  assert.throws(() => setContext({ x: 1 }), { code: 'NO_CONTEXT', message: /call it inside one/ })
})

test('a context is read wherever its code goes on: timers, promises, callbacks', async () => {
  const seen = await withContext(contextOf({ callId: 'a', user: { sub: 'anna' } }), async () => {
    await nextTurn()
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    setTimeout(() => process.nextTick(() => queueMicrotask(() => resolve(currentUser()?.sub))))
    return [currentCallId(), await promise]
  })
  assert.deepEqual(seen, ['a', 'anna'])
  assert.equal(currentContext(), undefined)
})

test('a thousand interleaved contexts never see each other’s values', async () => {
  const run = (index: number) =>
    withContext(contextOf({ callId: String(index) }), async () => {
      for (let step = 0; step < 5; step++) {
        setContext({ step, owner: index })
        await nextTurn()
        assert.deepEqual(
          [currentCallId(), contextValue('owner'), contextValue('step')],
          [String(index), index, step],
        )
      }
    })
  await Promise.all(Array.from({ length: 1000 }, (_, index) => run(index)))
})

test('setContext adds to the values, replaces the record, and makes the sealed form stale', () => {
  const context: Context = contextOf({ values: Object.freeze({ a: 1 }), text: 'sealed' })
  withContext(context, () => {
    setContext({ b: 2 })
    assert.deepEqual([contextValue('a'), contextValue('b')], [1, 2])
    assert.equal(context.text, undefined)
    setContext({ a: 3 })
  })
  assert.deepEqual(context.values, { a: 3, b: 2 })
})

test('values are only what was set, not what every object inherits', () => {
  withContext(contextOf(), () => {
    for (const key of ['constructor', 'toString', '__proto__', 'hasOwnProperty'])
      assert.equal(contextValue(key), undefined)
    setContext(JSON.parse('{"__proto__": {"polluted": 1}}'))
    assert.deepEqual(contextValue('__proto__'), { polluted: 1 })
    assert.equal(Reflect.get({}, 'polluted'), undefined)
  })
})

test('a token is given while it is valid, and refused with TOKEN_EXPIRED after', () => {
  const token = (expiresAt: number) => contextOf({ token: { raw: 'abc', expiresAt } })
  assert.equal(withContext(token(Date.now() + 60_000), currentToken), 'abc')
  assert.throws(() => withContext(token(Date.now() - 1), currentToken), {
    code: 'TOKEN_EXPIRED',
    status: 401,
  })
  assert.throws(
    () => withContext(token(Date.now() - 1), currentToken),
    (error: Error) => !error.message.includes('abc'),
  )
})

test('an inner context hides the outer one and gives it back, also when its code throws', () => {
  withContext(contextOf({ callId: 'outer' }), () => {
    assert.throws(() =>
      withContext(contextOf({ callId: 'inner' }), () => {
        assert.equal(currentCallId(), 'inner')
        throw new Error('x')
      }),
    )
    assert.equal(currentCallId(), 'outer')
  })
})
