import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killConsumers, killEnqueuers } from '../engines/kills.ts'

test('of what was answered as stored, nothing is missing after 1,000 kills of the processes that store', (test) =>
  killEnqueuers(test, { rounds: 250, seed: 1 }))

test('with workers killed at any moment every one of 100,000 tasks is run, and none again that was settled', async (test) => {
  const kills = await killConsumers(test, { tasks: 100_000, seed: 2 })
  assert.ok(kills > 300, `only ${kills} kills`)
})
