import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jsonOffset } from '../../src/spec/json-offset.ts'
import { locateFaults } from '../../src/spec/locate.ts'
import { below, pointerOfRef, segmentsOf, valueAt } from '../../src/spec/pointers.ts'

const lineOf = (file: string, text: string, pointer: string) =>
  locateFaults(file, [{ pointer, message: 'x' }], text)[0]?.line

test('a place in YAML has the line of its key', () => {
  const text = 'a: 1\nb:\n  c:\n    - x\n    - y: 2\n  "d/e": {f: 3}\n'
  assert.equal(lineOf('x.yaml', text, '/a'), 1)
  assert.equal(lineOf('x.yaml', text, '/b/c'), 3)
  assert.equal(lineOf('x.yaml', text, '/b/c/1/y'), 5)
  assert.equal(lineOf('x.yaml', text, '/b/d~1e/f'), 6)
})

test('a place has the column of its key too, from 1', () => {
  const at = (file: string, text: string, pointer: string) => {
    const [fault] = locateFaults(file, [{ pointer, message: 'x' }], text)
    return `${fault?.line}:${fault?.column}`
  }
  assert.equal(at('x.yaml', 'a: 1\nb:\n  c:\n    - y: 2\n', '/a'), '1:1')
  assert.equal(at('x.yaml', 'a: 1\nb:\n  c:\n    - y: 2\n', '/b/c/0/y'), '4:7')
  assert.equal(at('x.json', '{ "a": 1,\r\n  "b": 2 }', '/b'), '2:3')
})

test('a place that is not written has the line of the nearest one that is', () => {
  assert.equal(lineOf('x.yaml', 'a: 1\nb:\n  c: 1\n', '/b/nothing/here'), 2)
  assert.equal(lineOf('x.json', '{\n"a": 1,\n"b": {}\n}', '/b/nothing/here'), 3)
  assert.equal(lineOf('x.yaml', '', '/a'), 1)
})

test('a place behind an alias has the line where it is written', () => {
  assert.equal(lineOf('x.yaml', 'a: &a\n  b: 1\nc: *a\n', '/c/b'), 2)
})

test('whatever JSON holds, the offset of a place is where its key or item stands', () => {
  const keys = fc.string({ minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(fc.dictionary(keys, fc.jsonValue(), { minKeys: 1 }), fc.nat(), (value, pick) => {
      const text = JSON.stringify(value, undefined, 2)
      const name = Object.keys(value)[pick % Object.keys(value).length] ?? ''
      assert(text.slice(jsonOffset(text, [name])).startsWith(JSON.stringify(name)))
    }),
    { seed: 7, numRuns: 300 },
  )
})

test('pointers survive any key, and references that are none are told apart', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 4 }), (keys) => {
      assert.deepEqual(segmentsOf(below('', ...keys)), keys)
    }),
    { seed: 8, numRuns: 200 },
  )
  assert.equal(pointerOfRef('#/paths/~1a%20b'), '/paths/~1a b')
  assert.equal(pointerOfRef('other.yaml#/a'), undefined)
  assert.equal(pointerOfRef('#/%zz'), undefined)
  assert.equal(valueAt({ a: [1, { b: 2 }] }, '/a/1/b'), 2)
  assert.equal(valueAt({}, '/constructor'), undefined)
})
