import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { milliseconds, readDuration } from '../../src/core/duration.ts'

test('numbers are milliseconds, texts carry a unit', () => {
  const expected: readonly (readonly [unknown, number])[] = [
    [0, 0],
    [1.6, 2],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5m', 90_000],
    [' 2 h ', 7_200_000],
    ['7d', 604_800_000],
    ['36500d', 36_500 * 86_400_000],
  ]
  for (const [duration, ms] of expected) assert.equal(milliseconds(duration, 'delay'), ms)
})

test('what is no duration is refused, naming the option, what it may be, and what was found', () => {
  const bad = [
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e300,
    '',
    '5',
    's',
    '-5s',
    '1e3s',
    '5 weeks',
    '36501d',
    '9'.repeat(400),
  ]
  for (const found of [
    ...bad,
    `${'9'.repeat(400)}s`,
    null,
    undefined,
    true,
    {},
    [],
    5n,
    new Date(),
    Symbol('x'),
  ]) {
    assert.throws(() => milliseconds(found, 'Task mail: delay'), {
      code: 'BAD_DURATION',
      message: /^Task mail: delay must be milliseconds .*'30s'.*at most 100 years, not .+/,
    })
  }
})

test('every accepted duration is a whole number that can be added to any time of day', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.double({ noNaN: true }),
        fc
          .tuple(fc.double({ min: 0, max: 1e12 }), fc.constantFrom('ms', 's', 'm', 'h', 'd'))
          .map(([n, unit]) => `${n}${unit}`),
        fc.string(),
      ),
      (duration) => {
        const ms = readDuration(duration)
        assert.ok(
          ms === undefined || (Number.isInteger(ms) && ms >= 0 && Number.isSafeInteger(ms + 8.64e15 / 2)),
        )
      },
    ),
    { seed: 1, numRuns: 2000 },
  )
})
