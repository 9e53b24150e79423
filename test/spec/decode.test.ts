import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Parameter, RawRequest } from '../../src/spec/api.ts'
import { checksOf } from '../../src/spec/checks.ts'
import { ModelRegistry } from '../../src/spec/model-registry.ts'
import { api2, api3 } from './support/specs.ts'

const noRequest: RawRequest = { params: {}, query: '', headers: {}, body: undefined }

/** What the parameters of an operation are read as: the values, or the faults. */
function readerOf(parameters: string, path = '/a') {
  const api = api3({ paths: `${path}:\n  get:\n    parameters:\n      - ${parameters}\n    responses: {}` })
  const [operation] = api.operations
  assert(operation)
  const checks = checksOf(api, operation, new ModelRegistry())
  return (request: Partial<RawRequest>) => {
    const read = checks.request({ ...noRequest, ...request })
    return 'faults' in read
      ? read.faults.map(({ path: at, message }) => `${at} ${message}`)
      : read.decoded.named
  }
}

const query = (schema: string, more = '') => {
  const read = readerOf(`{ name: v, in: query, schema: ${schema}${more} }`)
  return (text: string) => read({ query: text })
}

test('scalars become values of their type, strictly', () => {
  assert.deepEqual(query('{ type: integer }')('v=12'), { v: 12 })
  assert.deepEqual(query('{ type: number }')('v=-1.5e3'), { v: -1500 })
  assert.deepEqual(query('{ type: boolean }')('v=true'), { v: true })
  assert.deepEqual(query('{ type: string }')('v=12'), { v: '12' })
  assert.deepEqual(query('{ type: string, format: date-time }')('v=2026-11-23T10:00:00%2B01:00'), {
    v: new Date('2026-11-23T09:00:00Z'),
  })
  for (const text of ['12abc', '1.0', '', '0x1', ' 1', '1e3', '007']) {
    assert.deepEqual(query('{ type: integer }')(`v=${encodeURIComponent(text)}`), [
      `query.v must be a whole number, not ${JSON.stringify(text)}`,
    ])
  }
  assert.deepEqual(query('{ type: boolean }')('v=yes'), ['query.v must be true or false, not "yes"'])
})

test('a whole number that would be rounded is refused', () => {
  assert.deepEqual(query('{ type: integer, format: int64 }')('v=9007199254740993'), [
    'query.v must be a whole number of at most ±9007199254740991, not "9007199254740993"',
  ])
})

test('a union takes the narrowest type that the text is of', () => {
  const read = query('{ oneOf: [{ type: integer }, { type: string }] }')
  assert.deepEqual(read('v=12'), { v: 12 })
  assert.deepEqual(read('v=ab'), { v: 'ab' })
})

test('defaults are filled in, absent parameters stay absent, unknown ones are ignored', () => {
  assert.deepEqual(query('{ type: integer, default: 10 }')('utm=1'), { v: 10 })
  assert.deepEqual(query('{ type: integer }')('other=1&&x'), {})
})

test('a required parameter that is missing, or one given twice, is a fault', () => {
  assert.deepEqual(query('{ type: integer }', ', required: true')(''), ['query.v is required'])
  assert.deepEqual(query('{ type: integer }')('v=1&v=2'), ['query.v must be a whole number, not a list'])
})

test('text that is not rightly percent-encoded is a fault, said once', () => {
  assert.deepEqual(query('{ type: string }', ', required: true')('v=%zz'), [
    'query.v is not rightly percent-encoded',
  ])
  assert.deepEqual(query('{ type: string }')('w=%zz'), {})
})

test('plus is a space, and an encoded plus is a plus', () => {
  assert.deepEqual(query('{ type: string }')('v=a+b%2Bc%20d'), { v: 'a b+c d' })
})

test('an encoded comma separates numbers, but not strings', () => {
  assert.deepEqual(query('{ type: array, items: { type: integer } }', ', explode: false')('v=1%2C2,3'), {
    v: [1, 2, 3],
  })
  assert.deepEqual(query('{ type: array, items: { type: string } }', ', explode: false')('v=a%2Cb,c'), {
    v: ['a,b', 'c'],
  })
})

test('every place is read: path, header and cookie', () => {
  const path = readerOf(
    '{ name: v, in: path, required: true, schema: { type: array, items: { type: integer } } }',
    '/a/{v}',
  )
  assert.deepEqual(path({ params: { v: '1,2' } }), { v: [1, 2] })
  const label = readerOf(
    '{ name: v, in: path, required: true, style: label, schema: { type: array, items: { type: string } } }',
    '/a/{v}',
  )
  assert.deepEqual(label({ params: { v: '.a.b' } }), { v: ['a', 'b'] })
  const matrix = readerOf(
    '{ name: v, in: path, required: true, style: matrix, explode: true, schema: { type: array, items: { type: string } } }',
    '/a/{v}',
  )
  assert.deepEqual(matrix({ params: { v: ';v=a;v=b' } }), { v: ['a', 'b'] })
  const header = readerOf(
    '{ name: X-V, in: header, required: true, schema: { type: object, properties: { a: { type: integer }, b: { type: string } } } }',
  )
  assert.deepEqual(header({ headers: { 'x-v': 'a, 1, b, x' } }), { 'X-V': { a: 1, b: 'x' } })
  assert.deepEqual(header({}), ['header.X-V is required'])
  const cookie = readerOf('{ name: v, in: cookie, schema: { type: integer } }')
  assert.deepEqual(cookie({ headers: { cookie: 'a=1; v=7' } }), { v: 7 })
})

test('deep objects are read with their types, deeper levels and lists included', () => {
  const read = query(
    '{ type: object, properties: { age: { type: object, properties: { min: { type: integer } } }, tags: { type: array, items: { type: string } }, on: { type: boolean } } }',
    ', style: deepObject',
  )
  assert.deepEqual(read('v[age][min]=18&v[on]=true&v[tags][]=a&v%5Btags%5D%5B%5D=b'), {
    v: { age: { min: 18 }, on: true, tags: ['a', 'b'] },
  })
  assert.deepEqual(read('v[tags]=a&v[tags]=b'), { v: { tags: ['a', 'b'] } })
  assert.deepEqual(read('v[age][min]=x'), ['query.v.age.min must be a whole number, not "x"'])
  assert.deepEqual(read('v[__proto__][min]=1'), {})
  assert.equal(Object.hasOwn(Object.prototype, 'min'), false)
})

test('an exploded object takes its properties from the query, an open one what nobody else claims', () => {
  const api = api3({
    paths: `
/a:
  get:
    parameters:
      - { name: page, in: query, schema: { type: integer } }
      - { name: filter, in: query, schema: { type: object, additionalProperties: { type: integer } } }
    responses: {}`,
  })
  const [operation] = api.operations
  assert(operation)
  const read = checksOf(api, operation, new ModelRegistry()).request({
    ...noRequest,
    query: 'page=2&a=1&b=3',
  })
  assert.deepEqual('decoded' in read && read.decoded.named, { page: 2, filter: { a: 1, b: 3 } })
})

test('path goes before query where both have a parameter of one name', () => {
  const api = api2({
    paths: `
/a/{id}:
  get:
    parameters: [{ name: id, in: query, type: string }, { name: id, in: path, required: true, type: string }]
    responses: {}`,
  })
  const [operation] = api.operations
  assert(operation)
  const read = checksOf(api, operation, new ModelRegistry()).request({
    ...noRequest,
    params: { id: 'p' },
    query: 'id=q',
  })
  assert.deepEqual('decoded' in read && read.decoded, {
    params: { id: 'p' },
    query: { id: 'q' },
    named: { id: 'p' },
    body: undefined,
  })
})

// Encoders written from the OpenAPI tables, to hold the decoder against.
const enc = encodeURIComponent
const separators: Readonly<Record<string, string>> = { form: ',', spaceDelimited: '%20', pipeDelimited: '|' }

function encodeList(style: Parameter['style'], explode: boolean, values: readonly unknown[]): string {
  const texts = values.map((value) => enc(String(value)))
  return explode ? texts.map((text) => `v=${text}`).join('&') : `v=${texts.join(separators[style])}`
}

const listStyles = [
  { style: 'form', explode: true },
  { style: 'form', explode: false },
  { style: 'spaceDelimited', explode: false },
  { style: 'pipeDelimited', explode: false },
] as const

for (const { style, explode } of listStyles) {
  test(`any list written in style ${style}${explode ? ', exploded,' : ''} is read as it was`, () => {
    const read = (type: string) =>
      query(`{ type: array, items: { type: ${type} } }`, `, style: ${style}, explode: ${explode}`)
    const [strings, numbers, booleans] = [read('string'), read('number'), read('boolean')]
    const separates = style === 'spaceDelimited' ? / / : style === 'pipeDelimited' ? /\|/ : /^$/
    const text = fc
      .string({ minLength: 1, unit: 'grapheme' })
      .filter((value) => !separates.test(value) && value.isWellFormed())
    const number = fc
      .oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
      .filter((value) => !Object.is(value, -0))
    const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 6 })
    const holds = <T>(item: fc.Arbitrary<T>, decode: (query: string) => unknown) =>
      fc.assert(
        fc.property(list(item), (values) =>
          assert.deepEqual(decode(encodeList(style, explode, values)), { v: values }),
        ),
        { seed: 3, numRuns: 200 },
      )
    holds(text, strings)
    holds(number, numbers)
    holds(fc.boolean(), booleans)
  })
}

test('any object written as a deep object, or in pairs, is read as it was', () => {
  const schema =
    '{ type: object, properties: { n: { type: integer }, s: { type: string }, b: { type: boolean } } }'
  const [deep, pairs] = [query(schema, ', style: deepObject'), query(schema, ', explode: false')]
  const parts = { n: fc.integer(), s: fc.string({ minLength: 1 }), b: fc.boolean() }
  const values = fc.record(parts, { noNullPrototype: true })
  fc.assert(
    fc.property(values, (value) => {
      const members = Object.entries(value)
      assert.deepEqual(deep(members.map(([key, part]) => `v[${key}]=${enc(part)}`).join('&')), { v: value })
      assert.deepEqual(
        pairs(
          `v=${members
            .flat()
            .map((part) => enc(part))
            .join(',')}`,
        ),
        { v: value },
      )
    }),
    { seed: 4, numRuns: 200 },
  )
})
