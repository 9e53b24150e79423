import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atLeast, atMost, json, table } from '../../bench/harness/report.ts'
import { percentile, Samples, summary } from '../../bench/harness/samples.ts'

function samplesOf(figures: Readonly<Record<string, readonly number[]>>): Samples {
  const samples = new Samples()
  for (const [what, taken] of Object.entries(figures)) for (const figure of taken) samples.add(what, figure)
  return samples
}

test('a summary holds median, least, most and how many', () => {
  assert.deepEqual(summary([3, 1, 10, 2]), { median: 2.5, min: 1, max: 10, count: 4 })
})

test('percentiles lie between neighbours', () => {
  assert.equal(percentile([0, 10], 0.99), 9.9)
})

test('ratios and differences are taken round by round, not between medians', () => {
  const samples = samplesOf({ ours: [10, 200, 30], theirs: [5, 100, 30] })
  assert.deepEqual(samples.ratio('ours', 'theirs'), { median: 2, min: 1, max: 2, count: 3 })
  assert.deepEqual(samples.difference('ours', 'theirs'), { median: 5, min: 0, max: 100, count: 3 })
})

test('the best is the one with the highest median of those measured', () => {
  assert.equal(samplesOf({ a: [1, 1, 9], b: [2, 2, 2] }).best(['a', 'b', 'c']), 'b')
  assert.equal(new Samples().best(['a']), undefined)
})

test('the table tells a goal reached from a goal missed, and JSON says the same', () => {
  const figure = summary([1234.5])
  const rows = [
    { bench: 'x', what: 'reached', unit: 'ms', figure, goal: atMost(1300) },
    { bench: 'x', what: 'missed', unit: 'ms', figure, goal: atLeast(1300) },
    { bench: 'x', what: 'free', unit: 'ms', figure },
  ]
  const [, , ...lines] = table(rows).split('\n')
  assert.match(lines[0] ?? '', /^x +reached +1 235 +1 235 – 1 235 +ms +≤ 1300 +reached$/)
  assert.match(lines[1] ?? '', /≥ 1300 +MISSED$/)
  assert.match(lines[2] ?? '', /ms$/)
  assert.deepEqual(
    JSON.parse(json(rows)).map(({ met }: { met?: boolean }) => met),
    [true, false, undefined],
  )
})
