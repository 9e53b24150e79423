import { test } from 'node:test'
import { blockedLoop } from '../e2e/support/blocked-loop.ts'
import { busyOrphan } from '../e2e/support/busy-orphan.ts'
import { openFilesStay } from '../e2e/support/open-files.ts'
import { rollingRestarts } from '../e2e/support/rolling.ts'

test('a task that blocks its loop for 30 s delays nobody, runs once and is named', async (t) => {
  await blockedLoop(t, 30_000)
})

test('twenty times a worker is killed while an executor is in a busy loop, and nothing runs in two places', async (t) => {
  for (let turn = 1; turn <= 20; turn += 1) await t.test(`turn ${turn}`, busyOrphan)
})

test('ten thousand requests with tasks leave no growing number of open files', (t) =>
  openFilesStay(t, 10_000))

test('thirty rolling restarts under load lose and double nothing', async (t) => {
  await rollingRestarts(t, 30)
})
