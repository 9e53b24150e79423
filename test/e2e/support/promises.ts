import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type Aftermath, assertPromises, type StormOptions } from './storm.ts'

type Variant = Pick<StormOptions, 'task' | 'args' | 'check'>

/** `atMostOnce`: what had begun when something died is parked as lost, and nothing ever starts a second time. */
export const neverTwice: Variant = { task: 'once', args: [20], check: checkNeverTwice }

/** Children are stored with the attempt that succeeds, so once, however often their parent is run again. */
export const childrenOnce: Variant = { task: 'parent', args: [2, 0], check: checkChildrenOnce }

function checkNeverTwice(test: TestContext, { report, answered, tasks, runs }: Aftermath): void {
  const lost = tasks
    .filter((task) => task.state === 'parked' && task.reason === 'lost')
    .map((task) => task.id)
  test.diagnostic(`parked as lost: ${lost.length}`)
  assert.equal(report.doubled, 0)
  assert.ok(report.stored >= answered.length)
  const others = tasks.filter(({ id, state }) => state !== 'done' && !lost.includes(id))
  assert.deepEqual(others, [], 'neither done nor parked as lost')
  const begun = new Set(runs.map((run) => run.id))
  const cutOff = runs.filter((run) => !run.ended).map((run) => run.id)
  assert.deepEqual(
    cutOff.filter((id) => !lost.includes(id)),
    [],
    'cut off, but not parked',
  )
  assert.ok(
    tasks.every((task) => task.state === 'parked' || begun.has(task.id)),
    'done without a run',
  )
}

function checkChildrenOnce(test: TestContext, { report, tasks }: Aftermath): void {
  assertPromises(test, { report })
  const keys = tasks.flatMap(({ name, args }) =>
    name === 'note' && Array.isArray(args) ? [String(args[0])] : [],
  )
  const parents = tasks.filter((task) => task.name === 'parent').length
  test.diagnostic(`${parents} parents, ${keys.length} children`)
  assert.equal(new Set(keys).size, keys.length, 'a child was stored twice')
  assert.equal(keys.length, 2 * parents)
}
