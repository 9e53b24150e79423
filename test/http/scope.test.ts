import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Scope } from '../../src/core/context.ts'
import { StoreError } from '../../src/core/errors.ts'
import type { EnqueueAnswer } from '../../src/engines/engine.ts'
import { reply } from '../../src/http/reply.ts'
import type { TaskMessage } from '../../src/tasks/message.ts'
import { Outbox, type Way } from '../../src/tasks/outbox.ts'
import { until } from '../support/until.ts'
import { anyBody, collect, get, post, serve, stage, type TestOperation } from './service.ts'

/** On a store that reads nothing but names. */
const outboxOf = (enqueue: (batch: readonly Named[]) => ReturnType<Way['enqueue']>) =>
  new Outbox({ sealAll: (batch) => batch.map((message) => ({ ...message, context: '' })), enqueue })

type Named = Pick<TaskMessage, 'name'>

/** A store that answers when told to: each write waits to be resolved or rejected. */
class ControlledStore {
  readonly writes: { readonly batch: readonly Named[]; readonly done: PromiseWithResolvers<void> }[] = []
  readonly outbox = outboxOf((batch) => this.#enqueue(batch))
  released = 0
  readonly release = (scope: Scope) => {
    this.released += 1
    return this.outbox.release(scope)
  }

  async #enqueue(batch: readonly Named[]): Promise<readonly EnqueueAnswer[]> {
    const done = Promise.withResolvers<void>()
    this.writes.push({ batch, done })
    await done.promise
    return batch.map(({ name }) =>
      name === 'unstorable'
        ? { stored: false, error: new StoreError('STORE_FULL', 'full') }
        : { stored: true },
    )
  }

  async nextWrite() {
    return until(() => this.writes.shift(), { what: 'a write to the store' })
  }
}

const fires = (name: string, args?: string): TestOperation => ({
  handler: () => {
    stage(name, args)
    return { ok: true }
  },
})

test('the reply leaves only after what was fired is stored', async (t) => {
  const store = new ControlledStore()
  const server = await serve(t, { 'get /a': fires('mail') }, { release: store.release })
  let replied = false
  const waiting = get(server, '/a').then((received) => {
    replied = true
    return received
  })
  const write = await store.nextWrite()
  assert.deepEqual(
    write.batch.map(({ name }) => name),
    ['mail'],
  )
  // Other requests get through meanwhile, so the server isn't merely slow.
  assert.equal((await get(server, '/ping')).status, 200)
  assert.equal(replied, false)
  write.done.resolve()
  assert.equal((await waiting).status, 200)
})

test('a store that fails makes 503 with Retry-After of a success, and the number of tasks is told as 0', async (t) => {
  const ends = collect(t, 'request.end')
  const store = new ControlledStore()
  const server = await serve(t, { 'get /a': fires('mail') }, { release: store.release })
  const waiting = get(server, '/a')
  ;(await store.nextWrite()).done.reject(new StoreError('STORE_FULL', 'disk full on /var/secret'))
  const { status, json, headers, text } = await waiting
  assert.equal(status, 503)
  assert.equal(json.error, 'TASKS_UNAVAILABLE')
  assert.equal(headers.get('retry-after'), '1')
  assert.ok(!text.includes('/var/secret'))
  assert.equal(ends[0]?.tasks, 0)
})

test('a failure of any other kind while storing is 503 as well', async (t) => {
  const release = async () => {
    throw new TypeError('engine bug')
  }
  const { status, json } = await get(await serve(t, { 'get /a': fires('mail') }, { release }), '/a')
  assert.equal(status, 503)
  assert.equal(json.error, 'TASKS_UNAVAILABLE')
})

test('a release that throws at once is 503, not a hanging request', async (t) => {
  const release = () => {
    throw new StoreError('STORE_CLOSED', 'closed')
  }
  assert.equal((await get(await serve(t, { 'get /a': fires('mail') }, { release }), '/a')).status, 503)
})

test('of two requests in one batch only the one whose task was not stored gets 503', async (t) => {
  const store = new ControlledStore()
  const operations = {
    // So large that no other batch is written beside it.
    'get /first': fires('first', 'x'.repeat(270_000)),
    'get /good': fires('mail'),
    'get /bad': fires('unstorable'),
  }
  const server = await serve(t, operations, { release: store.release })
  const first = get(server, '/first')
  const blocking = await store.nextWrite()
  const good = get(server, '/good')
  const bad = get(server, '/bad')
  await until(() => store.released === 3, { what: 'all three to wait' })
  blocking.done.resolve()
  const second = await store.nextWrite()
  assert.deepEqual(second.batch.map(({ name }) => name).sort(), ['mail', 'unstorable'])
  second.done.resolve()
  assert.equal((await first).status, 200)
  assert.equal((await good).status, 200)
  assert.equal((await bad).status, 503)
})

test('under load every 2xx was stored before it left, with a store that fails now and then', async (t) => {
  const stored = new Set<string>()
  let writes = 0
  const outbox = outboxOf(async (batch) => {
    await new Promise(setImmediate)
    if (writes++ % 4 === 3) throw new StoreError('STORE_BUSY', 'busy')
    return batch.map(({ name }, index) => {
      if ((name.length + index) % 5 === 0)
        return { stored: false, error: new StoreError('STORE_FULL', 'full') }
      stored.add(name)
      return { stored: true }
    })
  })
  const handler = (body: unknown) => {
    stage(String(body))
    return { ok: true }
  }
  const server = await serve(
    t,
    { 'post /a': { body: anyBody, handler } },
    { release: (scope) => outbox.release(scope) },
  )
  const names = Array.from({ length: 400 }, (_, n) => `task-${'x'.repeat(n % 7)}-${n}`)
  const lies: string[] = []
  const statuses = await Promise.all(
    names.map(async (name) => {
      const { status } = await post(server, '/a', JSON.stringify(name))
      if (status === 200 && !stored.has(name)) lies.push(name)
      return status
    }),
  )
  assert.deepEqual(lies, [])
  assert.ok(statuses.filter((status) => status === 200).length > 10)
  assert.ok(statuses.filter((status) => status === 503).length > 10)
  assert.ok(statuses.every((status) => status === 200 || status === 503))
})

const unsuccessful: readonly (readonly [string, TestOperation, number])[] = [
  [
    'throws',
    {
      handler: () => {
        stage('mail')
        throw new Error('boom')
      },
    },
    500,
  ],
  [
    'rejects later',
    {
      handler: async () => {
        stage('mail')
        await new Promise(setImmediate)
        throw new Error('boom')
      },
    },
    500,
  ],
  [
    'replies 409',
    {
      handler: () => {
        stage('mail')
        return reply(409, { taken: true })
      },
    },
    409,
  ],
  [
    'returns an Error',
    {
      handler: () => {
        stage('mail')
        return new Error('boom')
      },
    },
    500,
  ],
  [
    'fails its reply check',
    { ...fires('mail'), checks: { reply: () => [{ path: 'body', message: 'is wrong' }] } },
    500,
  ],
  [
    'returns what JSON cannot hold',
    {
      handler: () => {
        stage('mail')
        return { n: 1n }
      },
    },
    500,
  ],
]

for (const [what, operation, expected] of unsuccessful) {
  test(`a handler that fires and ${what} leaves no task`, async (t) => {
    const dropped = collect(t, 'scope.dropped')
    const released: Scope[] = []
    const release = async (scope: Scope) => void released.push(scope)
    const server = await serve(t, { 'get /a': operation }, { release })
    const { status } = await get(server, '/a', { headers: { 'x-call-id': 'c1' } })
    assert.equal(status, expected)
    assert.equal(released.length, 0)
    assert.deepEqual(dropped, [{ callId: 'c1', userId: undefined, tasks: ['mail'] }])
  })
}

test('a reply that fails its check and is only logged keeps its tasks', async (t) => {
  const store = new ControlledStore()
  const operation = { ...fires('mail'), checks: { reply: () => [{ path: 'body', message: 'is wrong' }] } }
  const server = await serve(t, { 'get /a': operation }, { release: store.release, replyCheck: 'log' })
  const waiting = get(server, '/a')
  ;(await store.nextWrite()).done.resolve()
  assert.equal((await waiting).status, 200)
})

test('a redirection is a success: its tasks are stored', async (t) => {
  const store = new ControlledStore()
  const handler = () => {
    stage('mail')
    return reply(303, undefined, { location: '/' })
  }
  const server = await serve(t, { 'get /a': { handler } }, { release: store.release })
  const waiting = get(server, '/a', { redirect: 'manual' })
  ;(await store.nextWrite()).done.resolve()
  assert.equal((await waiting).status, 303)
})

test('a request that fires nothing asks nothing of the store, and its scope has ended all the same', async (t) => {
  const scopes: Scope[] = []
  const handler = () => {
    const scope = stage('x')
    scope.staged.length = 0
    scopes.push(scope)
    return {}
  }
  const release = () => {
    throw new StoreError('STORE_CLOSED', 'must not be asked')
  }
  const server = await serve(t, { 'get /a': { handler } }, { release })
  assert.equal((await get(server, '/a')).status, 200)
  assert.equal(scopes[0]?.state, 'released')
})

test('the end of a request tells how many tasks it has stored', async (t) => {
  const ends = collect(t, 'request.end')
  const handler = () => {
    stage('a')
    stage('b')
    return {}
  }
  await get(await serve(t, { 'get /a': { handler } }), '/a')
  assert.equal(ends[0]?.tasks, 2)
})

/** A handler that goes on until told to end. */
function endless(t: TestContext, after: () => unknown = () => ({})) {
  const gate = Promise.withResolvers<void>()
  const scopes: Scope[] = []
  const handler = async () => {
    scopes.push(stage('mail'))
    await gate.promise
    return after()
  }
  t.after(() => gate.resolve())
  return { handler, scopes, end: () => gate.resolve() }
}

test('a handler that takes too long gets 408 and its tasks are dropped, also those it fires later', async (t) => {
  const released: Scope[] = []
  const dropped = collect(t, 'scope.dropped')
  const { handler, scopes, end } = endless(t)
  const release = async (scope: Scope) => void released.push(scope)
  const server = await serve(t, { 'get /a': { handler } }, { requestTimeoutMs: 50, release })
  const { status, json } = await get(server, '/a')
  assert.equal(status, 408)
  assert.equal(json.error, 'REQUEST_TIMEOUT')
  assert.equal(scopes[0]?.state, 'dropped')
  end()
  await new Promise(setImmediate)
  assert.equal(scopes[0]?.state, 'dropped')
  assert.deepEqual([released.length, dropped.length], [0, 1])
})

test('what a handler throws after its 408 is reported, not swallowed and not fatal', async (t) => {
  const crashes = collect(t, 'request.crash')
  const { handler, end } = endless(t, () => {
    throw new Error('too late')
  })
  const server = await serve(t, { 'get /a': { handler } }, { requestTimeoutMs: 30 })
  assert.equal((await get(server, '/a')).status, 408)
  end()
  const crash = await until(() => crashes[0], { what: 'the crash' })
  assert.equal(crash.error.message, 'too late')
  assert.equal((await get(server, '/ping')).status, 200)
})

test('each handler has its own time, from its own start', async (t) => {
  const early = endless(t)
  const late = endless(t)
  const operations = { 'get /early': { handler: early.handler }, 'get /late': { handler: late.handler } }
  const server = await serve(t, operations, { requestTimeoutMs: 500 })
  const started = performance.now()
  const first = get(server, '/early')
  await until(() => performance.now() - started > 300, { what: 'most of the first time to pass' })
  const second = get(server, '/late')
  assert.equal((await first).status, 408)
  late.end()
  assert.equal((await second).status, 200)
})

test('a handler that starts while others wait is timed as well', async (t) => {
  const server = await serve(t, { 'get /a': { handler: endless(t).handler } }, { requestTimeoutMs: 40 })
  for (const _ of [1, 2, 3]) assert.equal((await get(server, '/a')).status, 408)
})

test('with a time of 0 a handler may take any', async (t) => {
  const { handler, scopes, end } = endless(t)
  const server = await serve(t, { 'get /a': { handler } }, { requestTimeoutMs: 0 })
  const waiting = get(server, '/a')
  await until(() => scopes.length > 0, { what: 'the handler to run' })
  const started = performance.now()
  await until(() => performance.now() - started > 30, { what: 'some time to pass' })
  end()
  assert.equal((await waiting).status, 200)
})

test('a caller who goes away does not undo what the endpoint has done', async (t) => {
  const store = new ControlledStore()
  const { handler, scopes, end } = endless(t)
  const server = await serve(t, { 'get /a': { handler } }, { release: store.release })
  const gone = new AbortController()
  const waiting = get(server, '/a', { signal: gone.signal })
  await until(() => scopes.length > 0, { what: 'the handler to run' })
  gone.abort()
  await assert.rejects(waiting)
  end()
  const write = await store.nextWrite()
  assert.equal(write.batch.length, 1)
  write.done.resolve()
  await until(() => scopes[0]?.state === 'released', { what: 'the scope to be released' })
  assert.equal((await get(server, '/ping')).status, 200)
})
