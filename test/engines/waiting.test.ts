import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { StoreError } from '../../src/core/errors.ts'
import { on } from '../../src/core/events.ts'
import type { Engine, TaskStanding } from '../../src/engines/engine.ts'
import { sqliteAbilities } from '../../src/engines/sqlite/abilities.ts'
import { openSqlite } from '../../src/engines/sqlite/engine.ts'
import { WaitingEngine } from '../../src/engines/waiting.ts'
import { makeMessage } from '../../src/testing/engine-suite/setup.ts'
import { ownFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'

/** A real store that can be opened only once `mend` was called; until then it fails with `code`. */
function waiting(t: TestContext) {
  const folder = ownFolder(t)
  const state = { code: 'STORE_FULL', mended: false, tries: [] as number[], opened: [] as Engine[] }
  const open = async (): Promise<Engine> => {
    state.tries.push(performance.now())
    if (!state.mended) throw new StoreError(state.code, `No way (${state.code})`)
    const engine = await openSqlite({ folder, sync: 'normal', role: 'worker' })
    state.opened.push(engine)
    return engine
  }
  const told: unknown[] = []
  t.after(on('store.trouble', ({ code }) => told.push(code)))
  t.after(on('store.well', () => told.push('well')))
  const engine = new WaitingEngine({ abilities: sqliteAbilities, open })
  t.after(() => engine.close())
  return { engine, state, told }
}

test('until the store can be opened every method says why not, and health too', async (t) => {
  const { engine } = waiting(t)
  const why = { code: 'STORE_FULL', message: 'No way (STORE_FULL)' }
  const asked = [
    engine.enqueue([makeMessage()]),
    engine.find('x'),
    engine.list({}),
    engine.counts(),
    engine.cancel('x'),
    engine.retry('x'),
    engine.remove('x'),
    engine.purge({}),
    engine.workers(),
  ]
  for (const answer of asked) await assert.rejects(answer, why)
  const { ok, storing, reasons } = await engine.health()
  assert.deepEqual(
    { ok, storing, reasons },
    { ok: false, storing: false, reasons: ['No way (STORE_FULL) [STORE_FULL]'] },
  )
})

test('each reason is told once, however often it is tried, and once that all is well; then it is the store itself', async (t) => {
  const { engine, state, told } = waiting(t)
  await until(() => state.tries.length >= 3, { what: 'three tries' })
  assert.deepEqual(told, ['STORE_FULL'])
  state.code = 'STORE_UNWRITABLE'
  await until(() => told.length === 2, { what: 'the other reason' })
  state.mended = true
  const message = makeMessage()
  await until(() => engine.enqueue([message]).catch(() => undefined), { what: 'the store to be open' })
  assert.deepEqual(told, ['STORE_FULL', 'STORE_UNWRITABLE', 'well'])
  assert.equal((await engine.find(message.id))?.message.id, message.id)
  assert.equal((await engine.health()).storing, true)
  assert.equal(state.opened.length, 1)
})

test('pauses between tries grow', async (t) => {
  const { state } = waiting(t)
  await until(() => state.tries.length === 4, { what: 'four tries' })
  const pauses = state.tries.slice(1).map((time, index) => time - (state.tries[index] ?? 0))
  // Timers are late, or early by less than one.
  pauses.forEach((pause, index) => {
    assert.ok(pause > 100 * 2 ** index - 2, `pause ${index + 1} was ${pause} ms`)
  })
})

test('what is asked while it is first being opened waits for that', async (t) => {
  const folder = ownFolder(t)
  const { promise, resolve } = Promise.withResolvers<Engine>()
  const engine = new WaitingEngine({ abilities: sqliteAbilities, open: () => promise })
  t.after(() => engine.close())
  assert.deepEqual((await engine.health()).reasons, ['The task store is being opened.'])
  const counts = engine.counts()
  resolve(await openSqlite({ folder, sync: 'normal', role: 'worker' }))
  assert.equal((await counts).queued, 0)
})

test('who watches a task before the store is open is told of it once it is; who has stopped watching is not', async (t) => {
  const { engine, state } = waiting(t)
  const seen: (TaskStanding | undefined)[] = []
  const message = makeMessage()
  const unwatch = engine.watch(message.id, (task) => seen.push(task))
  engine.watch(message.id, () => assert.fail('this one has stopped watching'))()
  state.mended = true
  await until(() => engine.enqueue([message]).catch(() => undefined), { what: 'the store to be open' })
  await until(() => seen.at(-1)?.state === 'queued', { what: 'the task to be seen' })
  unwatch()
})

test('closed before it could be opened, it says so, tries no more, and closes what was still being opened', async (t) => {
  const { engine, state } = waiting(t)
  await assert.rejects(engine.counts(), { code: 'STORE_FULL' })
  await engine.close()
  await assert.rejects(engine.counts(), { code: 'STORE_FULL' })
  const folder = ownFolder(t)
  const { promise, resolve } = Promise.withResolvers<Engine>()
  const late = new WaitingEngine({ abilities: sqliteAbilities, open: () => promise })
  const asked = late.counts()
  await late.close()
  const inner = await openSqlite({ folder, sync: 'normal', role: 'worker' })
  resolve(inner)
  await assert.rejects(asked, { code: 'STORE_CLOSED' })
  await assert.rejects(inner.counts(), { code: 'STORE_CLOSED' })
  assert.equal(state.opened.length, 0)
})
