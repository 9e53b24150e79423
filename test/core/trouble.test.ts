import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { StoreError } from '../../src/core/errors.ts'
import { on } from '../../src/core/events.ts'
import { Trouble } from '../../src/core/trouble.ts'

function heard(t: TestContext): string[] {
  const told: string[] = []
  t.after(on('store.trouble', ({ code }) => told.push(code)))
  t.after(on('store.well', ({ afterMs }) => told.push(`well after ${afterMs}`)))
  return told
}

test('each reason is told once, and once that all is well again', (t) => {
  const told = heard(t)
  const trouble = new Trouble()
  trouble.worked()
  for (const code of ['STORE_FULL', 'STORE_FULL', 'STORE_BUSY', 'STORE_FULL'] as const)
    trouble.failed(new StoreError(code, 'no'))
  trouble.worked()
  trouble.worked()
  assert.deepEqual(told.slice(0, 2), ['STORE_FULL', 'STORE_BUSY'])
  assert.match(told[2] ?? '', /^well after \d+$/)
  assert.equal(told.length, 3)
})

test('one failure that several meet is told by the first, and a later one of another by itself', (t) => {
  const told = heard(t)
  const [one, other] = [new Trouble(), new Trouble()]
  for (const failure of [new StoreError('STORE_BUSY', 'no'), new StoreError('STORE_BUSY', 'no')]) {
    one.failed(failure)
    other.failed(failure)
  }
  one.worked()
  other.worked()
  assert.equal(told.length, 2)
  other.failed(new StoreError('STORE_BUSY', 'no'))
  assert.deepEqual([told[0], told[2]], ['STORE_BUSY', 'STORE_BUSY'])
})

test('a store that refuses some things for it is full is not told well by those that it does', (t) => {
  let now = 1_000
  t.mock.method(performance, 'now', () => now)
  const told = heard(t)
  const trouble = new Trouble(10_000)
  for (let look = 0; look < 5; look++) {
    trouble.failed(new StoreError('STORE_FULL', 'full'))
    now += 2_500
    trouble.worked()
  }
  now += 7_499
  trouble.worked()
  assert.deepEqual(told, ['STORE_FULL'])
  now += 1
  trouble.worked()
  assert.deepEqual(told, ['STORE_FULL', 'well after 20000'])
})
