import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { type Context, withContext } from '../../src/core/context.ts'
import { MessageError } from '../../src/core/errors.ts'
import type { Consumption, Engine, Lease } from '../../src/engines/engine.ts'
import { openSqlite } from '../../src/engines/sqlite/engine.ts'
import { asyncTask } from '../../src/tasks/async-task.ts'
import { taskHandle } from '../../src/tasks/handle.ts'
import { defaultOptions } from '../../src/tasks/options.ts'
import { encodeResult } from '../../src/tasks/results.ts'
import { decideOutcome, type Ending } from '../../src/tasks/retry.ts'
import { installRuntime, type TaskRuntime } from '../../src/tasks/runtime.ts'
import { dropScope, takeStaged } from '../../src/tasks/staging.ts'
import { contextOf } from '../core/support.ts'
import { ownFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'
import { models, runtimeOf } from './support.ts'

const mail = asyncTask('mail', async (title: string) => ({ title, sent: new Date(0) }))

/** A runtime on a real store, whose tasks a real consumption hands to the test. */
async function setUp(t: TestContext) {
  const engine = await openSqlite({ folder: ownFolder(t), sync: 'normal', role: 'worker' })
  const runtime = runtimeOf({ engine: async () => engine }, engine)
  installRuntime(runtime)
  const context = contextOf()
  const worker = new Worker(engine)
  t.after(async () => {
    installRuntime(undefined)
    await worker.stop()
    await engine.close()
  })
  return { engine, runtime, context, worker }
}

/** Ends every task it is given the way the test has said. */
class Worker {
  readonly #engine: Engine
  #consumption: Consumption | undefined
  #end: (() => Ending) | undefined
  readonly leases: Lease[] = []

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Takes what is stored and, where `end` is given, ends it so. */
  async start(end?: () => Ending): Promise<void> {
    this.#end = end
    this.#consumption = await this.#engine.consume({
      names: () => ['mail'],
      keys: () => [],
      slots: () => ({ ordinary: 10, alone: 10 }),
      run: (leases) => {
        for (const lease of leases) this.#run(lease)
      },
      sweep: async () => true,
    })
  }

  async stop(): Promise<void> {
    await this.#consumption?.stop()
  }

  #run(lease: Lease): void {
    this.leases.push(lease)
    if (this.#end === undefined) return
    const outcome = decideOutcome(this.#end(), { lease, options: defaultOptions, now: Date.now(), chance: 0 })
    void this.#consumption?.settle(lease, outcome)
  }
}

const returned = (value: unknown): (() => Ending) => {
  const result = encodeResult(value, { models, maxBytes: 1000 })
  return () => ({ result, children: [] })
}

const release = (context: Context, runtime: TaskRuntime) => runtime.store(takeStaged(context.scope))

suite('result()', () => {
  test('gives what the task returned, typed and revived', async (t) => {
    const { context, runtime, worker } = await setUp(t)
    await worker.start(returned({ title: 'Hi', sent: new Date(5) }))
    const handle = withContext(context, () => mail.fire('Hi'))
    await release(context, runtime)
    const { title, sent } = await handle.result()
    assert.deepEqual([title, sent], ['Hi', new Date(5)])
  })

  test('is there for a task that has ended long before, and for a handle made from its id', async (t) => {
    const { worker } = await setUp(t)
    await worker.start(returned('early'))
    const handle = await mail.fire.now('x')
    await until(async () => (await handle.status()).state === 'done', { what: 'the task to be done' })
    assert.equal(await handle.result(), 'early')
    const again = taskHandle(handle.id)
    assert.equal(await again.result(), 'early')
    assert.equal((await again.status()).name, 'mail')
  })

  test('awaiting the handle itself waits for nothing', async (t) => {
    const { context } = await setUp(t)
    const handle = withContext(context, () => mail.fire('x'))
    assert.equal(await handle, handle)
  })

  test('within the scope that has yet to release the task is refused, naming fire.now', async (t) => {
    const { context } = await setUp(t)
    await withContext(context, async () => {
      const handle = mail.fire('x')
      await assert.rejects(handle.result(), {
        code: 'TASK_NOT_RELEASED',
        message: /when this request has succeeded.*mail\.fire\.now/,
      })
    })
    const attempt = contextOf({ task: { id: 'p', name: 'parent', attempt: 1 } })
    await withContext(attempt, () =>
      assert.rejects(mail.fire('x').result(), { message: /when this attempt has/ }),
    )
  })

  test('of a task fired with fire.now can be awaited in the very scope', async (t) => {
    const { context, worker } = await setUp(t)
    await worker.start(returned('now'))
    await withContext(context, async () => {
      const handle = await mail.fire.now('x')
      assert.equal(await handle.result(), 'now')
    })
  })

  test('awaited elsewhere while the scope is open comes when the scope is released', async (t) => {
    const { context, runtime, worker } = await setUp(t)
    await worker.start(returned('later'))
    const handle = withContext(context, () => mail.fire('x'))
    const result = handle.result()
    await release(context, runtime)
    assert.equal(await result, 'later')
  })

  test('of a dropped task says so at once; one that was already waiting, when its time is up', async (t) => {
    const { context } = await setUp(t)
    const handle = withContext(context, () => mail.fire('x'))
    const waiting = handle.result({ timeout: 100 })
    dropScope(context.scope)
    const expected = { code: 'SCOPE_DROPPED', message: /was never stored/ }
    await assert.rejects(handle.result(), expected)
    await assert.rejects(waiting, expected)
  })

  test('that does not come in time is RESULT_TIMEOUT with task, id and time, and the task goes on', async (t) => {
    const { worker } = await setUp(t)
    const handle = await mail.fire.now('x')
    await assert.rejects(handle.result({ timeout: '20ms' }), {
      code: 'RESULT_TIMEOUT',
      message: new RegExp(`Task mail \\(${handle.id}\\) has no result after 20 ms`),
    })
    await worker.start(returned('after all'))
    assert.equal(await handle.result({ timeout: '30d' }), 'after all')
  })

  test('refuses a timeout that is none', async (t) => {
    await setUp(t)
    const handle = await mail.fire.now('x')
    // @ts-expect-error: the type refuses it too
    await assert.rejects(handle.result({ timeout: 'soon' }), {
      code: 'BAD_DURATION',
      message: /^timeout must be/,
    })
  })

  test('of a failed, parked or cancelled task rejects with what happened', async (t) => {
    const { engine, worker } = await setUp(t)
    const cancelled = await mail.with({ delay: '1h' }).fire.now('x')
    assert.equal((await engine.cancel(cancelled.id)).done, true)
    await assert.rejects(cancelled.result(), { code: 'TASK_CANCELLED' })
    const endings: Ending[] = [
      { thrown: Object.assign(new Error('smtp is down'), { code: 'E_SMTP' }) },
      { thrown: new MessageError('undecodable', 'not readable') },
    ]
    await worker.start(() => endings.shift() ?? { thrown: new Error('one too many') })
    const failed = await mail.fire.now('x')
    await assert.rejects(failed.result(), {
      code: 'TASK_FAILED',
      message: /failed in attempt 1: smtp is down/,
    })
    assert.partialDeepStrictEqual(await failed.status(), {
      state: 'failed',
      attempts: 1,
      error: { code: 'E_SMTP', message: 'smtp is down' },
    })
    const parked = await mail.fire.now('x')
    await assert.rejects(parked.result(), {
      code: 'TASK_PARKED',
      message: /parked as undecodable: not readable/,
    })
  })

  test('that could not be stored says why, though the task is done', async (t) => {
    const { worker } = await setUp(t)
    await worker.start(returned({ connection: () => 1 }))
    const handle = await mail.fire.now('x')
    await assert.rejects(handle.result(), {
      code: 'RESULT_NOT_STORED',
      message: /Task mail \(\S+\) is done, but its result was not stored: .* a function at \.connection/,
    })
    assert.equal((await handle.status()).state, 'done')
  })

  test('that is not readable here is a MessageError', async (t) => {
    const { worker } = await setUp(t)
    await worker.start(() => ({ result: '{"$":"hologram"}', children: [] }))
    const handle = await mail.fire.now('x')
    await assert.rejects(handle.result(), { code: 'UNDECODABLE', message: /"hologram"/ })
  })
})

suite('status()', () => {
  test('follows the task from staged to done', async (t) => {
    const { context, runtime, worker } = await setUp(t)
    const handle = withContext(context, () => mail.fire('x'))
    const later = withContext(context, () => mail.with({ delay: '1h' }).fire('x'))
    const state = async () => (await handle.status()).state
    assert.equal(await state(), 'staged')
    await release(context, runtime)
    assert.deepEqual([await state(), (await later.status()).state], ['queued', 'scheduled'])
    await worker.start()
    await until(async () => (await state()) === 'running', { what: 'the task to run' })
    const { id, name, attempts, startedAt, settledAt, error } = await handle.status()
    assert.deepEqual([id, name, attempts, settledAt, error], [handle.id, 'mail', 0, undefined, undefined])
    assert.ok(startedAt !== undefined && Math.abs(startedAt - Date.now()) < 60_000)
  })

  test('of a dropped task, and of one the store does not know, is unknown', async (t) => {
    const { context } = await setUp(t)
    const handle = withContext(context, () => mail.fire('x'))
    dropScope(context.scope)
    assert.equal((await handle.status()).state, 'unknown')
    assert.equal((await taskHandle('no-such-task').status()).state, 'unknown')
  })
})

suite('cancel()', () => {
  test('of a staged task keeps it from being stored, and its siblings are', async (t) => {
    const { context, runtime, engine } = await setUp(t)
    const [first, second] = withContext(context, () => [mail.fire('1'), mail.fire('2')])
    assert.equal(await first.cancel(), true)
    assert.equal(await first.cancel(), true)
    await withContext(context, () => assert.rejects(first.result(), { code: 'TASK_CANCELLED' }))
    await release(context, runtime)
    assert.equal((await first.status()).state, 'cancelled')
    assert.deepEqual([await engine.find(first.id), (await second.status()).state], [undefined, 'queued'])
  })

  test('of a stored task that waits is done once, of a running or ended one refused', async (t) => {
    const { worker } = await setUp(t)
    const waiting = await mail.with({ delay: '1h' }).fire.now('x')
    assert.deepEqual([await waiting.cancel(), await waiting.cancel()], [true, false])
    assert.equal((await waiting.status()).state, 'cancelled')
    await worker.start()
    const running = await mail.fire.now('x')
    await until(() => worker.leases.length === 1, { what: 'the task to be handed out' })
    assert.equal(await running.cancel(), false)
  })

  test('of a dropped or unknown task is false', async (t) => {
    const { context } = await setUp(t)
    const handle = withContext(context, () => mail.fire('x'))
    dropScope(context.scope)
    assert.deepEqual([await handle.cancel(), await taskHandle('nothing').cancel()], [false, false])
  })
})
