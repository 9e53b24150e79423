import { test } from 'node:test'
import { blockedLoop } from './support/blocked-loop.ts'

test('a task that blocks its loop for 5 s delays nobody, runs once and is named', async (t) => {
  await blockedLoop(t, 5000)
})
