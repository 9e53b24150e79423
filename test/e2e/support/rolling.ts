import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { until } from '../../support/until.ts'
import { load } from './load.ts'
import { describeTally, tally } from './runs.ts'
import { startService } from './service.ts'

/** Workers replaced under load, the next one started before the one before it stops, as a deploy does. */
export async function rollingRestarts(test: TestContext, turns: number): Promise<void> {
  const server = await startService(test, { command: 'serve' })
  const { folder } = server
  let worker = await startService(test, { folder, command: 'work' })
  const requesting = load(test, server, { clients: 2, requests: 1_000_000, task: 'work', args: [30] })
  for (let turn = 1; turn <= turns; turn += 1) {
    const enough = server.runs().length + 100
    await until(() => server.runs().length > enough, { what: 'tasks to run', everyMs: 50 })
    const next = await startService(test, { folder, command: 'work' })
    worker.signalGroup('SIGTERM')
    assert.equal(await worker.exit, 0)
    assert.ok(worker.isGone(), 'something of the former worker is left running')
    worker = next
  }
  requesting.stop()
  const { answered, refused } = await requesting.ended
  assert.deepEqual([...refused], [])
  await server.settled()
  const tasks = await server.tasks()
  const counts = tally(server.runs(), answered, tasks.length)
  test.diagnostic(`${turns} turns: ${describeTally(counts)}`)
  assert.deepEqual(counts.lost, [])
  assert.equal(counts.doubled, 0)
  assert.equal(counts.overlaps, 0)
  assert.equal(counts.stored, counts.answered)
  assert.ok(tasks.every((task) => task.state === 'done'))
  assert.deepEqual(
    tasks.filter((task) => task.attempts !== 1),
    [],
    'a restart cost an attempt',
  )
}
