import assert from 'node:assert/strict'
import { test } from 'node:test'
import { show } from '../../src/core/show.ts'
import { nastyValues } from './support.ts'

test('values are shown as code would write them', () => {
  assert.equal(show('a "b"'), '"a \\"b\\""')
  assert.equal(show(Number.NaN), 'NaN')
  assert.equal(show(5n), '5n')
  assert.equal(show(undefined), 'undefined')
  assert.equal(show({ type: 'fix', delay: 1 }), "{ type: 'fix', delay: 1 }")
  assert.equal(show(new Date(0)), '1970-01-01T00:00:00.000Z')
})

test('any value is shown on one line of bounded length, and no getter runs', () => {
  for (const value of nastyValues()) {
    const text = show(value)
    assert.ok(text.length <= 121 && !text.includes('\n'), text)
  }
  const { getter } = { getter: () => assert.fail('ran') }
  assert.match(show(Object.defineProperty({}, 'x', { get: getter, enumerable: true })), /Getter/)
})
