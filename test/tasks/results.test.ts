import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskRecord } from '../../src/engines/engine.ts'
import { decode } from '../../src/tasks/codec.ts'
import { encodeResult, unstoredReason, withoutResult } from '../../src/tasks/results.ts'
import { Seal } from '../../src/tasks/seal.ts'
import { models, signedMessage } from './support.ts'

const encoding = { models, maxBytes: 1000 }

function record(over: Partial<TaskRecord>): TaskRecord {
  return {
    message: { ...signedMessage(new Seal(['k'.repeat(32)])), id: 'id-1' },
    state: 'done',
    reason: undefined,
    attempts: 3,
    crashes: 0,
    runAt: 0,
    startedAt: 1,
    settledAt: 2,
    result: undefined,
    error: undefined,
    owner: undefined,
    ...over,
  }
}

test('a result that travels is stored in the codec’s form', () => {
  for (const result of [undefined, null, '!not an error', { at: new Date(0) }, ['!']]) {
    const stored = encodeResult(result, encoding)
    assert.equal(unstoredReason(stored), undefined)
    assert.deepEqual(decode(stored, models), result)
  }
})

test('one that can’t, or is too large, leaves its reason in its place', () => {
  assert.match(
    unstoredReason(encodeResult(() => 1, encoding)) ?? '',
    /^The result can't travel to a worker: a function\./,
  )
  assert.match(
    unstoredReason(encodeResult('x'.repeat(2000), encoding)) ?? '',
    /^The result takes more than the 1000 bytes allowed \(max_task_bytes\)\. Store/,
  )
})

test('each way to end without a result has an error of its own', () => {
  const error = { message: 'smtp is down', code: 'E_SMTP' }
  const errors = [
    record({ state: 'failed', error }),
    record({ state: 'cancelled' }),
    record({ state: 'parked', reason: 'poison', error }),
    record({ state: 'done' }),
  ].map((ended) => withoutResult(ended))
  assert.deepEqual(
    errors.map((one) => `${one.code}: ${one.message}`),
    [
      'TASK_FAILED: Task mail (id-1) failed in attempt 3: smtp is down',
      'TASK_CANCELLED: Task mail (id-1) was cancelled',
      'TASK_PARKED: Task mail (id-1) is parked as poison: smtp is down. Retry it with: macaron tasks retry id-1',
      'RESULT_NOT_STORED: Task mail (id-1) is done, but the store holds no result of it',
    ],
  )
  assert.deepEqual(errors[0]?.cause, error)
})
