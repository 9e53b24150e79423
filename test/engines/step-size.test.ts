import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StepSize } from '../../src/engines/step-size.ts'

test('steps double while they are quick, up to the most, and begin anew when nothing is left', () => {
  const steps = new StepSize(8, 100)
  const sizes = Array.from({ length: 6 }, () => {
    const { now } = steps
    steps.took(now, now * 1_000, 20)
    return now
  })
  assert.deepEqual(sizes, [8, 16, 32, 64, 100, 100])
  steps.reset()
  assert.equal(steps.now, 8)
})

test('a large step that took long is halved, down to one', () => {
  const steps = new StepSize(8, 100)
  const sizes = Array.from({ length: 5 }, () => {
    const { now } = steps
    steps.took(now, now * 100_000, 2_000)
    return now
  })
  assert.deepEqual(sizes, [8, 4, 2, 1, 1])
})

test('a long way makes no step smaller: what is short takes as long one by one', () => {
  const steps = new StepSize(8, 100)
  for (let step = 0; step < 5; step++) steps.took(steps.now, steps.now * 400, 2_000)
  assert.equal(steps.now, 100)
})

test('after a step without an answer one is tried alone', () => {
  const steps = new StepSize(8, 100)
  steps.failed()
  assert.equal(steps.now, 1)
  steps.took(1, 400, 20)
  assert.equal(steps.now, 2)
})
