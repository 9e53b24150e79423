import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { MessageError, TaskError } from '../../src/core/errors.ts'
import { checkOptions, defaultOptions, type TaskOptions } from '../../src/tasks/options.ts'
import { backoffMs, type Decision, decideOutcome, storedError } from '../../src/tasks/retry.ts'
import { nastyValues } from '../core/support.ts'

const now = 1_800_000_000_000

function decision(options: TaskOptions = {}, failures = 0, chance = 0): Decision {
  return { lease: { failures }, options: checkOptions(options, defaultOptions, 'Task mail'), now, chance }
}

suite('the outcome of an attempt', () => {
  test('is done with its result and children, to be kept as long as was asked', () => {
    const outcome = decideOutcome({ result: '5', children: [] }, decision({ keep: { done: '1m' } }))
    assert.deepEqual(outcome, { kind: 'done', result: '5', children: [], expiresAt: now + 60_000 })
  })

  test('is failed when an error is thrown and no retries are left', () => {
    const outcome = decideOutcome({ thrown: new TypeError('x') }, decision({ keep: { failed: '1d' } }))
    assert.partialDeepStrictEqual(outcome, {
      kind: 'failed',
      error: { message: 'x' },
      expiresAt: now + 86_400_000,
    })
  })

  test('is a retry exactly as often as was asked', () => {
    const kinds = [0, 1, 2, 3].map(
      (failures) => decideOutcome({ thrown: 1 }, decision({ retries: 2 }, failures)).kind,
    )
    assert.deepEqual(kinds, ['retry', 'retry', 'failed', 'failed'])
  })

  test('keeps what is parked for a week at least, however short its results are kept', () => {
    const parked = { thrown: new MessageError('unknown_task', 'x') }
    const week = 7 * 86_400_000
    assert.partialDeepStrictEqual(decideOutcome(parked, decision({ keep: '1s' })), { expiresAt: now + week })
    const long = decideOutcome(parked, decision({ keep: '30d' }))
    assert.partialDeepStrictEqual(long, { expiresAt: now + 30 * 86_400_000 })
  })

  test('is parked for a message that can’t be trusted or read, whatever retries are left', () => {
    for (const reason of ['refused', 'unknown_key', 'undecodable', 'unknown_task'] as const) {
      const outcome = decideOutcome({ thrown: new MessageError(reason, 'x') }, decision({ retries: 9 }))
      assert.partialDeepStrictEqual(outcome, {
        kind: 'parked',
        reason,
        error: { code: reason.toUpperCase() },
      })
    }
    assert.equal(decideOutcome({ thrown: new TaskError('REFUSED', 'x') }, decision()).kind, 'failed')
  })

  test('has the same answer for the same question, and leaves what it was asked with alone', () => {
    const asked = Object.freeze(decision({ retries: 3 }, 1, 0.7))
    const ending = Object.freeze({ thrown: new Error('x') })
    assert.deepEqual(decideOutcome(ending, asked), decideOutcome(ending, asked))
  })

  test('has whole, finite times for any options, failures and chance', () => {
    const duration = fc.nat({ max: 36_500 * 86_400_000 })
    const options = fc.record({
      retries: fc.constant(1_000_000),
      backoff: fc.oneof(
        duration,
        fc.record({
          type: fc.constant('exponential' as const),
          delay: duration,
          max: duration,
          jitter: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
      ),
      keep: duration,
    })
    const chance = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(options, fc.nat(1_000_001), chance, fc.boolean(), (given, failures, luck, fails) => {
        const ending = fails ? { thrown: new Error('x') } : { result: '1', children: [] }
        const outcome = decideOutcome(ending, decision(given, failures, luck))
        const time =
          'runAt' in outcome ? outcome.runAt : 'expiresAt' in outcome ? outcome.expiresAt : Number.NaN
        assert.ok(Number.isSafeInteger(time) && time >= now, `${outcome.kind} ${time}`)
      }),
      { seed: 1, numRuns: 3000 },
    )
  })
})

suite('backoff', () => {
  test('doubles from the first delay up to its max', () => {
    const backoff = { type: 'exponential', delay: 1000, max: 10_000, jitter: 0 } as const
    assert.deepEqual(
      [0, 1, 2, 3, 4, 1_000_000].map((failures) => backoffMs(backoff, failures, 1)),
      [1000, 2000, 4000, 8000, 10_000, 10_000],
    )
  })

  test('is always the same when fixed', () => {
    const backoff = { type: 'fixed', delay: 700, max: 100, jitter: 1 } as const
    assert.deepEqual(
      [0, 5, 1_000_000].map((failures) => backoffMs(backoff, failures, 0.9)),
      [700, 700, 700],
    )
  })

  test('takes off up to its share of jitter, spread over it, and never grows by chance', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.nat(1e9), fc.nat(100), part, part, (delay, failures, jitter, chance) => {
        const backoff = { type: 'exponential', delay, max: 3_600_000, jitter } as const
        const full = backoffMs({ ...backoff, jitter: 0 }, failures, 0)
        const wait = backoffMs(backoff, failures, chance)
        assert.ok(wait <= full && wait >= Math.floor(full * (1 - jitter)) && wait >= 0)
        assert.ok(full <= 3_600_000)
      }),
      { seed: 2, numRuns: 2000 },
    )
    const half = { type: 'exponential', delay: 1000, max: 1000, jitter: 0.5 } as const
    assert.deepEqual(
      [0, 0.5, 1].map((chance) => backoffMs(half, 0, chance)),
      [1000, 750, 500],
    )
  })
})

suite('a stored error', () => {
  test('keeps message, code and stack, cut to size', () => {
    const error = Object.assign(new Error('m'.repeat(10_000)), { code: 'c'.repeat(500) })
    error.stack = 's'.repeat(20_000)
    const { message, code, stack } = storedError(error)
    assert.deepEqual([message.length, code?.length, stack?.length], [4096, 128, 8192])
  })

  test('is made of whatever was thrown, and holds nothing but short texts', () => {
    for (const thrown of nastyValues()) {
      const stored = storedError(thrown)
      assert.ok(stored.message.length > 0 && Object.values(stored).every((part) => typeof part === 'string'))
      assert.doesNotThrow(() => structuredClone(stored))
    }
  })
})
