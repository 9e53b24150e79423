import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lease } from '../../src/engines/engine.ts'
import { Hand } from '../../src/worker/hand.ts'
import { Pace } from '../../src/worker/pace.ts'
import { mayJoin, roomOf } from '../../src/worker/prefetch.ts'
import { messageOf } from './messages.ts'

function lease(name: string, size = 0): Lease {
  const message = messageOf(name, ['x'.repeat(size)])
  return { token: '1', message, attempt: 1, failures: 0, crashes: 0, suspect: false }
}

function paceOf(ms: Readonly<Record<string, number>>): Pace {
  const pace = new Pace()
  for (const [name, each] of Object.entries(ms)) for (let n = 0; n < 5; n++) pace.record(name, each)
  return pace
}

/** How many of these an empty hand takes. */
function filled(hand: Hand, pace: Pace, one: Lease): number {
  while (mayJoin(hand, one, { concurrency: 10, pace })) hand.add(one, pace.expected(one.message.name), 0)
  return hand.count
}

test('tasks of unknown or long duration are handed over as many as run at a time', () => {
  assert.equal(filled(new Hand(), paceOf({}), lease('new')), 10)
  assert.equal(filled(new Hand(), paceOf({ long: 1000 }), lease('long')), 10)
})

test('tasks known to be short may wait in an executor, sixteen times as many', () => {
  assert.equal(filled(new Hand(), paceOf({ short: 0.01 }), lease('short')), 160)
})

test('together they are expected to run no longer than 50 ms', () => {
  assert.equal(filled(new Hand(), paceOf({ short: 2 }), lease('short')), 25)
})

test('behind a long one nothing waits', () => {
  const pace = paceOf({ short: 0.01, long: 1000 })
  const hand = new Hand()
  hand.add(lease('long'), pace.expected('long'), 0)
  assert.equal(filled(hand, pace, lease('short')), 10)
})

test('large ones are not gathered', () => {
  const pace = paceOf({ short: 0.01 })
  assert.equal(filled(new Hand(), pace, lease('short', 2 ** 19)), 10)
})

test('what was taken out of a hand makes room again', () => {
  const pace = paceOf({ short: 2 })
  const hand = new Hand()
  const limits = { concurrency: 10, pace }
  const held = Array.from({ length: 25 }, () => hand.add(lease('short'), 2, 0))
  assert.equal(roomOf(hand, limits), 0)
  for (const { number } of held.slice(0, 20)) hand.remove(number)
  assert.equal(roomOf(hand, limits), 20)
  assert.equal(hand.remove(held[0]?.number ?? 0), undefined)
})
