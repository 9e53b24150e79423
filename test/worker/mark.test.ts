import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeMark, markWriter } from '../../src/worker/mark.ts'
import { ownFolder } from '../support/folder.ts'

test('a mark tells nothing, then the order it was set to last', (t) => {
  const mark = makeMark(ownFolder(t), 'one')
  t.after(() => mark.close())
  const set = markWriter(mark.file)
  assert.deepEqual([mark.read(0), mark.read(7)], [0, 0])
  for (const order of [1, 2, 7]) {
    set(order)
    assert.deepEqual([mark.read(order), mark.read(order + 160)], [order, order])
  }
})

test('orders beyond what four bytes can count are told as well', (t) => {
  const mark = makeMark(ownFolder(t), 'one')
  t.after(() => mark.close())
  const set = markWriter(mark.file)
  const wrap = 2 ** 32
  for (const order of [
    wrap - 1,
    wrap,
    wrap + 5,
    2 ** 31 * 3,
    1_000 * wrap + 1,
    Number.MAX_SAFE_INTEGER - 200,
  ]) {
    set(order)
    for (const behind of [0, 1, 160]) assert.equal(mark.read(order + behind), order)
  }
})
