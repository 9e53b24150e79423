import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { type Context, setContext, withContext } from '../../src/core/context.ts'
import { StoreError } from '../../src/core/errors.ts'
import { on } from '../../src/core/events.ts'
import { asyncTask } from '../../src/tasks/async-task.ts'
import { decode } from '../../src/tasks/codec.ts'
import { type OpenedContext, readContext } from '../../src/tasks/context-message.ts'
import type { TaskMessage } from '../../src/tasks/message.ts'
import { installRuntime, type TaskRuntime } from '../../src/tasks/runtime.ts'
import { Seal } from '../../src/tasks/seal.ts'
import { dropScope, takeStaged } from '../../src/tasks/staging.ts'
import { contextOf } from '../core/support.ts'
import { until } from '../support/until.ts'
import { key, models, otherKey, runtimeOf } from './support.ts'

const mail = asyncTask('mail', async (...parts: readonly unknown[]) => parts.length, { retries: 2 })

/** A runtime for one test, and a context to fire in. */
function setUp(t: TestContext, over: Partial<TaskRuntime> = {}) {
  const runtime = runtimeOf(over)
  installRuntime(runtime)
  t.after(() => installRuntime(undefined))
  const context = contextOf({ callId: 'call-7', user: { sub: 'anna' } })
  return { runtime, context, store: runtime.controlled }
}

/** What the scope has staged, taken and sealed as the pipeline would. */
const taken = (context: Context, seal = new Seal([key])): readonly TaskMessage[] =>
  seal.sealAll(takeStaged(context.scope))

/** The context that a message carries. */
const contextIn = (message: TaskMessage, { seal, models }: TaskRuntime): OpenedContext =>
  readContext(seal.open(message), models)

suite('fire in an open scope', () => {
  test('stages a signed message and stores nothing; the handle has its id at once', (t) => {
    const { runtime, context, store } = setUp(t)
    const before = Date.now()
    const handle = withContext(context, () => mail.fire('Hi', { n: 1n }))
    assert.equal(store.batches.length, 0)
    const [message, ...others] = taken(context)
    assert.ok(message !== undefined && others.length === 0)
    assert.deepEqual(
      [message.id, message.name, message.queue, message.priority],
      [handle.id, 'mail', 'default', 0],
    )
    assert.deepEqual([message.runAt, message.atMostOnce, message.options], [0, false, '{"retries":2}'])
    assert.ok(message.firedAt >= before && message.firedAt <= Date.now())
    assert.deepEqual(decode(message.args, models), ['Hi', { n: 1n }])
    assert.deepEqual(contextIn(message, runtime).user, { sub: 'anna' })
  })

  test('keeps the order of fires', (t) => {
    const { context } = setUp(t)
    const handles = withContext(context, () => Array.from({ length: 50 }, (_, index) => mail.fire(index)))
    const staged = taken(context)
    assert.deepEqual(
      staged.map(({ id }) => id),
      handles.map(({ id }) => id),
    )
    assert.deepEqual(
      staged.map(({ id }) => id),
      staged.map(({ id }) => id).toSorted(),
    )
  })

  test('has taken the arguments as they were, whatever becomes of them', (t) => {
    const { context } = setUp(t)
    const cart = { items: ['tea'], at: new Date(0) }
    withContext(context, () => mail.fire(cart))
    cart.items.push('poison')
    cart.at.setFullYear(2099)
    assert.deepEqual(decode(taken(context)[0]?.args ?? '', models), [{ items: ['tea'], at: new Date(0) }])
  })

  test('refuses an argument that can’t travel or is too large, with its path, and stages nothing', (t) => {
    const { context } = setUp(t, { maxBytes: 1024 })
    withContext(context, () => {
      assert.throws(() => mail.fire('a', { callback: () => 1 }), {
        code: 'ARGUMENT_NOT_PORTABLE',
        message: /^The argument of mail can't travel to a worker: a function at \[1\]\.callback\./,
      })
      assert.throws(() => mail.fire('x'.repeat(1100)), {
        code: 'ARGUMENT_TOO_LARGE',
        message: /argument of mail takes more than the 1024 bytes allowed/,
      })
    })
    assert.equal(taken(context).length, 0)
  })

  test('seals one context for ten fires, and another after setContext', (t) => {
    const { runtime, context } = setUp(t)
    withContext(context, () => {
      for (let count = 0; count < 10; count++) mail.fire(count)
      setContext({ cart: new Map([['tea', 2]]) })
      for (let count = 0; count < 10; count++) mail.fire(count)
    })
    const values = taken(context).map((message) => contextIn(message, runtime).values)
    assert.equal(values.length, 20)
    for (const before of values.slice(0, 10)) assert.deepEqual(before, {})
    for (const after of values.slice(10)) assert.deepEqual(after, { cart: new Map([['tea', 2]]) })
  })

  test('a value of setContext that can’t travel is named at the fire', (t) => {
    const { context } = setUp(t)
    withContext(context, () => {
      setContext({ connection: { socket: () => 1 } })
      assert.throws(() => mail.fire(), {
        code: 'ARGUMENT_NOT_PORTABLE',
        message: /context of the fire .* a function at \.values\.connection\.socket/,
      })
    })
  })
})

suite('options of a call', () => {
  test('decide on queue, priority, times and what is signed', (t) => {
    const { context } = setUp(t)
    const before = Date.now()
    withContext(context, () =>
      mail.with({ queue: 'slow', priority: 7, delay: '1h', retries: 0, atMostOnce: true }).fire(),
    )
    const [message] = taken(context)
    assert.ok(message !== undefined)
    assert.deepEqual([message.queue, message.priority, message.atMostOnce], ['slow', 7, true])
    assert.equal(message.runAt, message.firedAt + 3_600_000)
    assert.ok(message.runAt >= before + 3_600_000)
    assert.deepEqual(JSON.parse(message.options), {
      queue: 'slow',
      priority: 7,
      delay: 3_600_000,
      atMostOnce: true,
    })
  })

  test('at is exact, however long after with() it is fired, and the past means at once', (t) => {
    const { context } = setUp(t)
    const at = Date.now() + 50_000
    const later = mail.with({ at: new Date(at) })
    withContext(context, () => {
      later.fire()
      mail.with({ at: 5 }).fire()
      mail.with({ at: -5 }).fire()
    })
    assert.deepEqual(
      taken(context).map(({ runAt }) => runAt),
      [at, 0, 0],
    )
  })

  test('are checked where with() is called', () => {
    assert.throws(() => mail.with({ retries: -1 }), {
      code: 'BAD_TASK_OPTION',
      message: 'Task mail: retries must be a whole number from 0 to 1000000, not -1',
    })
  })
})

suite('fire after the end of the scope', () => {
  test('of a released one stores at once, and says so once per name', async (t) => {
    const { context, store } = setUp(t)
    const late: unknown[] = []
    t.after(on('task.late_fire', (detail) => late.push(detail)))
    const straggler = asyncTask('straggler', () => 1)
    taken(context)
    withContext(context, () => {
      straggler.fire()
      straggler.fire()
    })
    await until(() => store.batches.length === 1, { what: 'the late fires to be stored' })
    assert.deepEqual(
      store.batches[0]?.map(({ name }) => name),
      ['straggler', 'straggler'],
    )
    assert.deepEqual(late, [{ name: 'straggler', callId: 'call-7', userId: 'anna' }])
    store.answerStored()
  })

  test('that can’t be stored rejects its handle’s methods and does not end the process', async (t) => {
    const { context, store } = setUp(t)
    taken(context)
    const handle = withContext(context, () => mail.fire())
    const silent = withContext(context, () => mail.fire())
    assert.ok(silent.id)
    await until(() => store.inFlight === 1, { what: 'the write' })
    store.fail(new StoreError('STORE_FULL', 'full'))
    await assert.rejects(handle.result(), { code: 'STORE_FULL' })
    await assert.rejects(handle.status(), { code: 'STORE_FULL' })
    await assert.rejects(handle.cancel(), { code: 'STORE_FULL' })
  })

  test('of a dropped one throws and says what to do', (t) => {
    const { context, store } = setUp(t)
    dropScope(context.scope)
    assert.throws(() => withContext(context, () => mail.fire()), {
      code: 'SCOPE_DROPPED',
      message: /Fire before the handler returns, or with mail\.fire\.now/,
    })
    assert.equal(store.batches.length, 0)
  })
})

suite('fire.now', () => {
  for (const end of ['open', 'released', 'dropped'] as const) {
    test(`stores before it resolves, in ${end === 'open' ? 'an' : 'a'} ${end} scope`, async (t) => {
      const { context, store } = setUp(t)
      if (end === 'released') taken(context)
      if (end === 'dropped') dropScope(context.scope)
      let resolved = false
      const firing = withContext(context, () => mail.fire.now('x'))
      firing.then(() => {
        resolved = true
      })
      await until(() => store.inFlight === 1, { what: 'the write' })
      assert.equal(resolved, false)
      store.answerStored()
      const handle = await firing
      assert.equal(store.batches[0]?.[0]?.id, handle.id)
      assert.equal(context.scope.staged.length, 0)
    })
  }

  test('outside any scope has nobody’s context, with a call id of its own', async (t) => {
    const { runtime, store } = setUp(t)
    store.open = true
    await mail.fire.now('x')
    await mail.with({ queue: 'slow' }).fire.now('y')
    const [first, second] = store.batches.flat().map((message) => contextIn(message, runtime))
    assert.deepEqual([first?.user, first?.request, first?.token], [undefined, undefined, undefined])
    assert.match(first?.callId ?? '', /^[0-9a-f-]{36}$/)
    assert.notEqual(first?.callId, second?.callId)
  })

  test('rejects when the store does', async (t) => {
    const { context, store } = setUp(t)
    const firing = withContext(context, () => mail.fire.now())
    await until(() => store.inFlight === 1, { what: 'the write' })
    store.fail(new StoreError('STORE_FULL', 'full'))
    await assert.rejects(firing, { code: 'STORE_FULL', status: 503 })
  })

  test('rejects, not throws, for a bad argument', async (t) => {
    const { context } = setUp(t)
    const firing = withContext(context, () => mail.fire.now(() => 1))
    await assert.rejects(firing, { code: 'ARGUMENT_NOT_PORTABLE' })
  })
})

suite('where nothing can be fired', () => {
  test('outside any scope fire says so, and names fire.now and openService', (t) => {
    setUp(t)
    assert.throws(() => mail.fire(), {
      code: 'NO_SCOPE',
      message: /mail\.fire\.now\(\.\.\.\).*openService\(\)/,
    })
  })

  test('without with_async it says which line to write', (t) => {
    installRuntime('off')
    t.after(() => installRuntime(undefined))
    const expected = { code: 'ASYNC_OFF', message: /Task mail .*with_async: true in macaron\.yaml/ }
    withContext(contextOf(), () => assert.throws(() => mail.fire(), expected))
    return assert.rejects(mail.fire.now(), expected)
  })

  test('without a service it says how to open one', async () => {
    const expected = { code: 'NO_SERVICE', message: /await using service = await openService\(\)/ }
    withContext(contextOf(), () => assert.throws(() => mail.fire(), expected))
    await assert.rejects(mail.fire.now(), expected)
  })

  test('calling the task itself runs it here and now all the same', async () => {
    assert.equal(await mail('a', 'b'), 2)
  })
})

suite('tasks that a task fires', () => {
  test('pass its context on as it is', (t) => {
    const { runtime, context } = setUp(t)
    withContext(context, () => mail.fire())
    const [parent] = taken(context)
    assert.ok(parent !== undefined)
    const opened = { ...contextIn(parent, runtime), task: undefined, scope: contextOf().scope }
    withContext(opened, () => mail.fire('child'))
    const [child] = taken(opened)
    assert.ok(child !== undefined)
    assert.equal(runtime.seal.open(child), runtime.seal.open(parent))
  })

  test('verify under the new key when the parent was sealed under the old one', (t) => {
    const old = new Seal([otherKey])
    const { context } = setUp(t, { seal: old })
    withContext(context, () => mail.fire())
    const [parent] = taken(context, old)
    const { runtime } = setUp(t, { seal: new Seal([key, otherKey]) })
    assert.ok(parent !== undefined)
    const opened = { ...contextIn(parent, runtime), task: undefined, scope: contextOf().scope }
    withContext(opened, () => mail.fire('child'))
    const [child] = taken(opened, runtime.seal)
    assert.ok(child !== undefined)
    const afterRotation = { ...runtime, seal: new Seal([key]) }
    assert.deepEqual(contextIn(child, afterRotation).user, { sub: 'anna' })
  })
})
