import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newTaskId } from '../../src/tasks/ids.ts'

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('a million ids are UUIDs of version 7, all different, and sort in the order they were made', () => {
  const seen = new Set<string>()
  let last = ''
  for (let count = 0; count < 1_000_000; count++) {
    const id = newTaskId(Date.now())
    if (!(id > last)) assert.fail(`${id} after ${last}`)
    if (count % 1000 === 0) assert.match(id, form)
    seen.add(id)
    last = id
  }
  assert.equal(seen.size, 1_000_000)
})

test('an id tells when it was made', () => {
  const now = laterTime()
  assert.equal(timeOf(newTaskId(now)), now)
})

test('order holds when the clock steps back, stands still, or is asked for more ids than a millisecond has', () => {
  const start = laterTime()
  const clock = [start, start, start - 1, start - 3_600_000, start + 1, start - 1, start + 2]
  const ids = clock.flatMap((now) => Array.from({ length: 5000 }, () => newTaskId(now)))
  assert.deepEqual(ids, ids.toSorted())
  assert.equal(new Set(ids).size, ids.length)
  assert.ok(ids.every((id) => form.test(id)))
})

test('the random part is random: no two ids of one millisecond share it', () => {
  const now = laterTime()
  const tails = Array.from({ length: 4000 }, () => newTaskId(now).slice(19))
  assert.equal(new Set(tails).size, 4000)
})

function timeOf(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
}

/** After every time an id of this process has, since ids never go back. */
function laterTime(): number {
  return timeOf(newTaskId(Date.now())) + 1000
}
