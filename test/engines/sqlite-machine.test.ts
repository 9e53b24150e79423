import assert from 'node:assert/strict'
import { test } from 'node:test'
import { on } from '../../src/core/events.ts'
import { makeMessage, store } from '../../src/testing/engine-suite/setup.ts'
import { ownFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'
import { openEngine, tamper } from './store-file.ts'

const elsewhere = { name: 'StoreError', code: 'STORE_ELSEWHERE' }

/** Another machine has the store, and gave its last sign of life at `beatAt`. */
function moveTo(folder: string, host: string, beatAt: number): void {
  tamper(folder, `UPDATE machine SET boot = 'boot of ${host}', host = '${host}', beat_at = ${beatAt}`)
}

test('a store that another machine has left for a minute is taken over, with a notice', async (test) => {
  const folder = ownFolder(test)
  await (await openEngine(test, { folder })).close()
  moveTo(folder, 'former', Date.now() - 61_000)
  const notices: string[] = []
  test.after(on('store.taken_over', ({ from }) => notices.push(from)))
  const engine = await openEngine(test, { folder })
  await store(engine, makeMessage())
  assert.deepEqual(notices, ['former'])
})

test('a store that another machine gives signs of life in is refused', async (test) => {
  const folder = ownFolder(test)
  await (await openEngine(test, { folder })).close()
  moveTo(folder, 'other', Date.now())
  const beating = setInterval(() => moveTo(folder, 'other', Date.now()), 500)
  test.after(() => clearInterval(beating))
  await assert.rejects(openEngine(test, { folder }), {
    ...elsewhere,
    message: /in use by another machine \(other\)/,
  })
})

test('a young sign of life that nothing follows is an old clock: the store is taken over', async (test) => {
  const folder = ownFolder(test)
  await (await openEngine(test, { folder })).close()
  moveTo(folder, 'rebooted', Date.now() + 3_600_000)
  const engine = await openEngine(test, { folder })
  await store(engine, makeMessage())
})

test('a machine that finds its store taken over stores nothing more until the other is gone', async (test) => {
  const folder = ownFolder(test)
  let ahead = 0
  const engines = [
    await openEngine(test, { folder, role: 'worker', now: () => Date.now() + ahead }),
    await openEngine(test, { folder, role: 'server' }),
  ] as const
  await store(engines[0], makeMessage())
  await store(engines[1], makeMessage())
  moveTo(folder, 'other', Date.now())
  for (const engine of engines) {
    // The first write that looks finds out; it is the sign of life that health asks for.
    const health = await engine.health()
    assert.equal(health.storing, false)
    assert.match(health.reasons.join(), /another machine \(other\)/)
    await assert.rejects(engine.enqueue([makeMessage()]), elsewhere)
  }
  ahead = 61_000
  await until(() => store(engines[0], makeMessage()).then(() => true), { what: 'the store is taken back' })
})
