import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emit, isHeard, on } from '../../src/core/events.ts'

test('an event reaches every listener until it ends listening, and nobody else', () => {
  const heard: string[] = []
  const endFirst = on('notice', ({ message }) => heard.push(`1 ${message}`))
  const endSecond = on('notice', ({ message }) => heard.push(`2 ${message}`))
  const endOther = on('store.well', () => assert.fail('not this one'))
  emit('notice', { message: 'a' })
  endFirst()
  emit('notice', { message: 'b' })
  endSecond()
  endOther()
  emit('notice', { message: 'c' })
  assert.deepEqual(heard, ['1 a', '2 a', '2 b'])
})

test('an event is heard while someone listens', () => {
  assert.equal(isHeard('store.taken_over'), false)
  const end = on('store.taken_over', () => undefined)
  assert.equal(isHeard('store.taken_over'), true)
  end()
  assert.equal(isHeard('store.taken_over'), false)
})
