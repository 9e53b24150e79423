import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  checkFireOptions,
  checkOptions,
  defaultOptions,
  type FireOptions,
  type TaskOptions,
} from '../../src/tasks/options.ts'
import { Seal } from '../../src/tasks/seal.ts'
import { checkColumns, readOptions, storeOptions } from '../../src/tasks/stored-options.ts'
import { signedMessage } from './support.ts'

const check = (given: TaskOptions) => checkOptions(given, defaultOptions, 'Task mail')
/** For what the types forbid. */
const checkAny = (given: unknown) => check(given as TaskOptions)
const fireAny = (given: unknown) => checkFireOptions(given as FireOptions, defaultOptions, 'Task mail')

suite('task options', () => {
  test('are all optional, and what is left out is the default', () => {
    assert.deepEqual(check({}), defaultOptions)
    assert.deepEqual(defaultOptions, {
      retries: 0,
      backoff: { type: 'exponential', delay: 1000, max: 3_600_000, jitter: 0.5 },
      queue: 'default',
      priority: 0,
      delay: 0,
      keep: { done: 3_600_000, failed: 604_800_000 },
      atMostOnce: false,
    })
  })

  test('are read with their times in ms', () => {
    const checked = check({
      retries: 5,
      backoff: { type: 'exponential', delay: '2s', max: '1m', jitter: 0 },
      queue: 'mail.out-1_2',
      priority: 2_097_151,
      delay: '1.5h',
      keep: { done: '5m' },
      atMostOnce: true,
    })
    assert.deepEqual(checked, {
      retries: 5,
      backoff: { type: 'exponential', delay: 2000, max: 60_000, jitter: 0 },
      queue: 'mail.out-1_2',
      priority: 2_097_151,
      delay: 5_400_000,
      keep: { done: 300_000, failed: 604_800_000 },
      atMostOnce: true,
    })
    assert.deepEqual(check({ keep: 0 }).keep, { done: 0, failed: 0 })
    assert.partialDeepStrictEqual(check({ backoff: '3s' }).backoff, { type: 'fixed', delay: 3000 })
    assert.partialDeepStrictEqual(check({ backoff: { type: 'fixed', delay: 7 } }).backoff, {
      type: 'fixed',
      delay: 7,
    })
    assert.equal(check({ backoff: { type: 'exponential', delay: 1 } }).backoff.jitter, 0.5)
  })

  test('of a call come over those of the task, one by one', () => {
    const task = check({ retries: 3, delay: '1m', keep: { failed: '1d' }, queue: 'slow' })
    const { options } = checkFireOptions({ retries: 0, keep: { done: '2m' } }, task, 'Task mail')
    assert.deepEqual(options, { ...task, retries: 0, keep: { done: 120_000, failed: 86_400_000 } })
  })

  const bad: readonly (readonly [string, unknown, string])[] = [
    ['retries', -1, 'retries must be a whole number from 0 to 1000000, not -1'],
    ['retries', 1.5, 'not 1.5'],
    ['retries', '3', 'not "3"'],
    ['retries', Number.NaN, 'not NaN'],
    ['retries', 5n, 'not 5n'],
    ['retries', null, 'not null'],
    ['priority', 2_097_152, 'priority must be a whole number from 0 to 2097151, not 2097152'],
    ['priority', -0.5, 'not -0.5'],
    ['queue', '', 'queue must be a name of 1 to 100 letters, digits, _, . or -, not ""'],
    ['queue', 'a b', 'not "a b"'],
    ['queue', 'a:b', 'not "a:b"'],
    ['queue', 'q\n', 'not "q\\n"'],
    ['queue', 'q'.repeat(101), 'queue must be'],
    ['queue', ['a'], "not [ 'a' ]"],
    ['atMostOnce', 'yes', 'atMostOnce must be true or false, not "yes"'],
    ['delay', '5 parsecs', 'delay must be milliseconds'],
    ['delay', -1, 'not -1'],
    ['delay', Number.POSITIVE_INFINITY, 'not Infinity'],
    ['delay', 1e300, 'not 1e+300'],
    ['delay', new Date(0), 'not 1970-01-01T00:00:00.000Z'],
    ['backoff', 'often', 'backoff must be milliseconds'],
    ['backoff', null, 'not null'],
    ['backoff', {}, "backoff must be a duration or an object with type: 'fixed' or 'exponential', not {}"],
    ['backoff', { type: 'linear', delay: 1 }, "'linear'"],
    ['backoff', [], 'backoff must be a duration or an object'],
    ['backoff', { type: 'fixed' }, 'backoff.delay must be milliseconds'],
    ['backoff', { type: 'fixed', delay: 1, jitter: 0.5 }, 'backoff has no "jitter"'],
    [
      'backoff',
      { type: 'exponential', delay: 1, jiter: 0.5 },
      'backoff has no "jiter". Did you mean "jitter"?',
    ],
    ['backoff', { type: 'exponential', delay: 1, max: -1 }, 'backoff.max must be milliseconds'],
    [
      'backoff',
      { type: 'exponential', delay: 1, jitter: 1.01 },
      'backoff.jitter must be a number from 0 to 1, not 1.01',
    ],
    [
      'backoff',
      { type: 'exponential', delay: 1, jitter: null },
      'backoff.jitter must be a number from 0 to 1, not null',
    ],
    ['keep', 'ever', 'keep must be milliseconds'],
    ['keep', null, 'not null'],
    ['keep', { done: 'ever' }, 'keep.done must be milliseconds'],
    ['keep', { failed: -1 }, 'keep.failed must be milliseconds'],
    ['keep', { cancelled: 1 }, 'keep has no "cancelled"'],
    ['keep', ['1h'], 'keep must be an object'],
    ['retrys', 1, 'options has no "retrys". Did you mean "retries"?'],
    ['at', new Date(), 'options has no "at"'],
    ['__proto__', 1, 'options has no "__proto__"'],
    ['toString', 1, 'options has no "toString"'],
  ]

  for (const [name, value, message] of bad) {
    test(`${name}: ${String(JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part))).slice(0, 40)} is refused, saying what it may be`, () => {
      const given = Object.defineProperty({}, name, { value, enumerable: true })
      assert.throws(
        () => checkAny(given),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'BAD_TASK_OPTION')
          assert.ok(error.message.startsWith('Task mail: ') && error.message.includes(message), error.message)
          return true
        },
      )
    })
  }

  test('must be an object', () => {
    for (const given of [null, 'x', 5, [], () => 1]) {
      for (const act of [checkAny, fireAny]) {
        assert.throws(() => act(given), {
          code: 'BAD_TASK_OPTION',
          message: /^Task mail: options must be an object with some of retries/,
        })
      }
    }
  })

  test('can’t be changed after they were checked', () => {
    const checked = check({ keep: '1h', backoff: { type: 'exponential', delay: 1 } })
    for (const part of [
      checked,
      checked.keep,
      checked.backoff,
      defaultOptions,
      defaultOptions.keep,
      defaultOptions.backoff,
    ]) {
      assert.ok(Object.isFrozen(part))
    }
  })

  test('any value for any option is read or refused with BAD_TASK_OPTION, never another error', () => {
    const value = fc.oneof(
      fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withSparseArray: true }),
      fc.string(),
    )
    const name = fc.constantFrom(...Object.keys(defaultOptions), 'at')
    fc.assert(
      fc.property(name, value, (option, given) => {
        try {
          const { options, at } = fireAny({ [option]: given })
          assert.ok(at === undefined || Number.isSafeInteger(at))
          for (const number of [options.delay, options.keep.done, options.keep.failed, options.backoff.max]) {
            assert.ok(Number.isSafeInteger(number) && number >= 0)
          }
        } catch (error) {
          assert.equal(Reflect.get(Object(error), 'code'), 'BAD_TASK_OPTION', String(error))
        }
      }),
      { seed: 1, numRuns: 5000 },
    )
  })
})

suite('at', () => {
  test('is a Date or ms since epoch, also a past one', () => {
    assert.equal(fireAny({ at: new Date(5.4) }).at, 5)
    assert.equal(fireAny({ at: -5 }).at, -5)
    assert.equal(fireAny({}).at, undefined)
  })

  test('and delay contradict each other', () => {
    assert.throws(() => fireAny({ at: new Date(0), delay: '1s' }), {
      code: 'BAD_TASK_OPTION',
      message: 'Task mail: at must be given without delay, since both say when, not 1970-01-01T00:00:00.000Z',
    })
  })

  for (const at of [new Date(Number.NaN), '2030-01-01', Number.NaN, 8.7e15, null, {}]) {
    test(`${String(at)} is no time`, () => {
      assert.throws(() => fireAny({ at }), {
        code: 'BAD_TASK_OPTION',
        message: /at must be a valid Date or ms since epoch, not/,
      })
    })
  }
})

suite('stored options', () => {
  test('of most tasks are {}, and others only say what differs', () => {
    assert.equal(storeOptions(defaultOptions), '{}')
    assert.equal(storeOptions(check({})), '{}')
    assert.equal(
      storeOptions(check({ retries: 2, keep: '1s' })),
      '{"retries":2,"keep":{"done":1000,"failed":1000}}',
    )
  })

  test('read back as they were, whatever was asked for', () => {
    const duration = fc.nat({ max: 1e12 })
    const options = fc.record(
      {
        retries: fc.nat(1_000_000),
        backoff: fc.oneof(
          duration,
          fc.record({ type: fc.constant('fixed' as const), delay: duration }),
          fc.record({
            type: fc.constant('exponential' as const),
            delay: duration,
            max: duration,
            jitter: fc.double({ min: 0, max: 1, noNaN: true }),
          }),
        ),
        queue: fc.stringMatching(/^[\w.-]{1,20}$/),
        priority: fc.nat(2_097_151),
        delay: duration,
        keep: fc.oneof(duration, fc.record({ done: duration, failed: duration })),
        atMostOnce: fc.boolean(),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(options, (given) => {
        const checked = check(given)
        // -0 is 0 to everything that reads it.
        assert.deepEqual(readOptions(storeOptions(checked)), checked)
      }),
      { seed: 2, numRuns: 1000 },
    )
  })

  test('of another version have defaults for what they lack, and what this one does not know has no effect', () => {
    const read = readOptions('{"keep":{"done":5},"backoff":{"delay":7},"colour":"red"}')
    assert.deepEqual(read.keep, { done: 5, failed: defaultOptions.keep.failed })
    assert.deepEqual(read.backoff, { ...defaultOptions.backoff, delay: 7 })
  })

  test('that are no JSON are undecodable, and not quoted', () => {
    assert.throws(() => readOptions('{"hunter2'), {
      code: 'UNDECODABLE',
      message: 'The stored options are not readable',
    })
  })

  test('must agree with the columns that engines sort by', () => {
    const options = check({ queue: 'slow', priority: 3, atMostOnce: true })
    const message = {
      ...signedMessage(new Seal(['k'.repeat(32)])),
      queue: 'slow',
      priority: 3,
      atMostOnce: true,
    }
    assert.doesNotThrow(() => checkColumns(message, options))
    for (const changed of [{ queue: 'fast' }, { priority: 0 }, { atMostOnce: false }]) {
      assert.throws(() => checkColumns({ ...message, ...changed }, options), {
        code: 'REFUSED',
        reason: 'refused',
      })
    }
  })
})
