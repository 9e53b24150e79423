import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lease } from '../../src/engines/engine.ts'
import { blame } from '../../src/worker/blame.ts'
import { messageOf } from './messages.ts'

const error = { message: 'executor 1 ended' }
const crash = { asked: false, error, expiresAt: 5 }
const stop = { ...crash, asked: true }

function lease(given: Partial<Lease> & { atMostOnce?: boolean } = {}): Lease {
  const { atMostOnce = false, ...rest } = given
  const message = messageOf('quick', [], { options: { atMostOnce } })
  return { token: '1', message, attempt: 1, failures: 0, crashes: 0, suspect: false, ...rest }
}

test('the first crash makes a suspect of everyone and blames nobody', () => {
  assert.deepEqual(blame(lease(), crash), { kind: 'crashed', crashes: 0, error })
})

test('who crashes alone as a suspect is blamed, and parked after the third time', () => {
  assert.deepEqual(blame(lease({ suspect: true, crashes: 1 }), crash), { kind: 'crashed', crashes: 2, error })
  assert.deepEqual(blame(lease({ suspect: true, crashes: 2 }), crash), {
    kind: 'parked',
    reason: 'poison',
    error,
    expiresAt: 5,
  })
})

test('a stop costs nothing, suspects neither', () => {
  assert.deepEqual(blame(lease(), stop), { kind: 'returned' })
  assert.deepEqual(blame(lease({ suspect: true, crashes: 2 }), stop), { kind: 'returned' })
})

test('what must not start twice is lost however its executor has ended', () => {
  for (const death of [crash, stop]) {
    const outcome = blame(lease({ atMostOnce: true }), death)
    assert.deepEqual(outcome, { kind: 'parked', reason: 'lost', error, expiresAt: 5 })
  }
})
