import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'
import { killAfter, killConsumers, killEnqueuers, startConsumer, startEnqueuer } from './kills.ts'
import { assertSound, openEngine, rowsOf } from './store-file.ts'

test('of what was answered as stored, nothing is missing after 32 kills of the processes that store', (test) =>
  killEnqueuers(test, { rounds: 8, seed: 20261123 }))

test('with workers killed at any moment every task is run, and none again that was settled', async (test) => {
  const kills = await killConsumers(test, { tasks: 4_000, seed: 4711 })
  assert.ok(kills >= 3, `only ${kills} kills`)
})

test('two processes store while two others take: nothing is lost, and nothing is taken twice', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder })
  const answered = new Set<string>()
  const taken: string[] = []
  const deaths = ['full', 'normal'].map((sync) =>
    killAfter(startEnqueuer(test, [folder, sync, 'server'], answered), 300),
  )
  for (let worker = 0; worker < 2; worker++)
    startConsumer(test, folder, (report) => taken.push(...(report.taken ?? [])))
  await Promise.all(deaths)
  const isOver = async () => {
    const { done, queued, running } = await engine.counts()
    return queued + running === 0 && done >= answered.size && taken.length === done
  }
  await until(isOver, { what: 'all tasks done and reported', timeoutMs: 30_000 })
  assert.equal(new Set(taken).size, taken.length)
  assert.equal(taken.length, rowsOf(folder, 'SELECT 1 FROM tasks').length)
  assert.ok([...answered].every((id) => taken.includes(id)))
  assertSound(folder)
})
