import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Checker } from '../../src/spec/checker.ts'
import { isDateTime } from '../../src/spec/date-time.ts'
import { api3 } from './support/specs.ts'

/** The faults of a value against a schema (YAML); `Cat`, `Dog` and `Expression` may be referred to. */
function faults(schema: string, value: unknown): string[] {
  const api = api3({
    schemas: `
A: ${schema}
Cat: { type: object, required: [kind, meow], properties: { kind: { type: string, enum: [cat] }, meow: { type: string } } }
Dog: { type: object, required: [kind, bark], properties: { kind: { type: string, enum: [dog] }, bark: { type: string } } }
Expression:
  oneOf:
    - { type: object, required: [and], properties: { and: { type: array, items: { $ref: '#/components/schemas/Expression' } } } }
    - { type: object, required: [or], properties: { or: { type: array, items: { $ref: '#/components/schemas/Expression' } } } }
    - { type: string }`,
  })
  const check = new Checker(api).check({ $ref: '#/schemas/A' })
  if (check.fits(value, 'request')) return []
  return check.faults(value, 'request', 'body').map(({ path, message }) => `${path} ${message}`)
}

test('every rule says what was expected, and what was there', () => {
  const told: readonly (readonly [string, unknown, string])[] = [
    ['{ type: string }', 3, 'must be a string, not 3'],
    ['{ type: string, nullable: true }', 3, 'must be a string or null, not 3'],
    ['{ type: integer }', 1.5, 'must be a whole number, not 1.5'],
    ['{ type: array, items: {} }', {}, 'must be a list, not an object'],
    ['{ type: object }', null, 'must be an object, not null'],
    ['{ type: string, minLength: 1 }', '', 'must not be empty'],
    ['{ type: string, minLength: 3 }', 'ab', 'must have at least 3 characters'],
    ['{ type: string, maxLength: 3 }', 'abcd', 'must have at most 3 characters'],
    ["{ type: string, pattern: '^[a-z]+$' }", 'A', 'must match /^[a-z]+$/, not "A"'],
    ['{ type: string, format: email }', 'x', 'must be an email address, not "x"'],
    ['{ type: string, format: uuid }', 'x', 'must be a UUID, not "x"'],
    ['{ type: string, format: date }', '2026-02-30', 'must be a date such as 2026-11-23, not "2026-02-30"'],
    [
      '{ type: integer, format: int32 }',
      3e9,
      'must be a whole number from -2147483648 to 2147483647, not 3000000000',
    ],
    ['{ type: number, minimum: 1, exclusiveMinimum: true }', 1, 'must be more than 1, not 1'],
    ['{ type: number, maximum: 1 }', 2, 'must be at most 1, not 2'],
    ['{ type: number, multipleOf: 5 }', 7, 'must be a multiple of 5, not 7'],
    [
      '{ type: string, enum: [small, large] }',
      'smal',
      'must be one of "small", "large", not "smal". Did you mean "small"?',
    ],
    ['{ type: array, items: {}, minItems: 2 }', [1], 'must have at least 2 items, not 1'],
    ['{ type: array, items: {}, maxItems: 1 }', [1, 2], 'must have at most one item, not 2'],
    ['{ type: object, minProperties: 1 }', {}, 'must have at least one property, not 0'],
    [
      '{ type: array, items: {}, uniqueItems: true }',
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      'must not hold the same item twice, as items 0 and 1 are',
    ],
    ['{ not: { type: string } }', 'x', 'must not be what the schema excludes'],
    [
      '{ type: string, format: date-time }',
      '2026-11-23',
      'must be a date and time with a time zone, such as 2026-11-23T10:00:00Z, not "2026-11-23"',
    ],
  ]
  for (const [schema, value, message] of told)
    assert.deepEqual(faults(schema, value), [`body ${message}`], schema)
})

test('paths are written as one would write them', () => {
  const schema =
    '{ type: object, additionalProperties: { type: array, items: { type: object, additionalProperties: { type: integer } } } }'
  assert.deepEqual(faults(schema, { 'a-b': [{}, { 'x y': 's', '0': 's' }] }), [
    'body.a-b[1].0 must be a whole number, not "s"',
    'body.a-b[1]["x y"] must be a whole number, not "s"',
  ])
})

test('values of secrets are never shown, wherever they are nested', () => {
  const schema =
    '{ type: object, properties: { password: { type: integer }, api_key: { type: object, additionalProperties: { type: integer } }, any: { type: string, format: password, maxLength: 1 }, pin: { type: string, enum: [a] } } }'
  const told = faults(schema, {
    password: 'hunter2',
    api_key: { inner: 'hunter2' },
    any: 'hunter2',
    pin: 'hunter2',
  })
  assert.equal(told.length, 4)
  assert(!told.join().includes('hunter2'))
})

test('a nullable reference is told as if null were not there', () => {
  const schema = "{ nullable: true, $ref: '#/components/schemas/Cat' }"
  assert.deepEqual(faults(schema, null), [])
  assert.deepEqual(faults(schema, { kind: 'cat' }), ['body.meow is required'])
})

test('a value that fits no form is told by the nearest one', () => {
  const schema = "{ oneOf: [{ $ref: '#/components/schemas/Cat' }, { $ref: '#/components/schemas/Dog' }] }"
  assert.deepEqual(faults(schema, { kind: 'dog' }), [
    'body fits none of Cat, Dog. As Dog: body.bark is required',
  ])
  assert.deepEqual(faults(schema, 3), ['body fits none of Cat, Dog. As Cat: it must be an object, not 3'])
})

test('a value that fits several forms where one is allowed is told', () => {
  assert.deepEqual(faults('{ oneOf: [{ type: integer }, { type: number }] }', 1), [
    'body fits form 1 and form 2 at once, where exactly one is allowed',
  ])
})

test('hostile values get an answer soon: deep unions, and a million faults', () => {
  let deep: unknown = 3
  for (let level = 0; level < 200; level++) deep = level % 2 === 0 ? { and: [deep] } : { or: [deep] }
  const started = performance.now()
  assert.equal(faults("{ $ref: '#/components/schemas/Expression' }", deep).length, 1)
  assert.equal(faults('{ type: array, items: { type: string } }', Array(1_000_000).fill(1)).length, 1)
  assert.equal(
    faults(
      '{ type: array, uniqueItems: true, items: {} }',
      Array.from({ length: 20_000 }, (_, n) => ({ n })),
    ).length,
    0,
  )
  assert(performance.now() - started < 5000)
})

test('at most 50 faults are told', () => {
  assert.equal(
    faults(
      '{ type: array, items: { type: string } }',
      Array.from({ length: 400 }, (_, n) => n),
    ).length,
    50,
  )
})

test('properties that every object inherits are absent until they are its own', () => {
  const schema =
    '{ type: object, required: [constructor], properties: { constructor: { type: string }, toString: { type: string } } }'
  assert.deepEqual(faults(schema, {}), ['body.constructor is required'])
  assert.deepEqual(faults(schema, { constructor: 'x' }), [])
})

test('a pattern that Unicode mode refuses is used without it', () => {
  assert.deepEqual(faults("{ type: string, pattern: '^[\\w-.]+$' }", 'a-b.c'), [])
  assert.deepEqual(faults("{ type: string, pattern: '^\\-+$' }", 'x').length, 1)
})

test('a date-time is a real moment with a time zone', () => {
  for (const text of ['2026-11-23T10:00:00Z', '2024-02-29t23:59:59.123456+05:30', '1999-12-31 00:00:00z']) {
    assert(isDateTime(text), text)
    assert(!Number.isNaN(new Date(text).getTime()), text)
  }
  for (const text of [
    '2026-11-23',
    '2026-11-23T10:00:00',
    '2026-02-29T10:00:00Z',
    '2026-13-01T10:00:00Z',
    '2026-04-31T10:00:00Z',
    '2026-11-23T24:00:00Z',
    '2016-12-31T23:59:60Z',
    'x2026-11-23T10:00:00Z',
  ]) {
    assert(!isDateTime(text), text)
  }
})

test('values of passwords, of what only goes in and of what is marked sensitive are never told, at any depth', () => {
  const api = api3({
    schemas: `
Account:
  type: object
  properties:
    phrase: { type: string, format: password, minLength: 9, pattern: '^x' }
    pin2: { type: string, x-sensitive: true, enum: [one, two] }
    answer: { allOf: [{ $ref: '#/components/schemas/Answer' }], writeOnly: true }
    answers: { type: array, x-sensitive: true, items: { $ref: '#/components/schemas/Answer' } }
    told: { $ref: '#/components/schemas/Answer' }
Answer:
  type: object
  properties:
    text: { type: string, maxLength: 3, pattern: '^x' }
    number: { anyOf: [{ type: integer }, { type: boolean }] }
    next: { $ref: '#/components/schemas/Answer' }`,
  })
  const answer = { text: 'SECRET', number: 'SECRET', next: { text: 'SECRET' } }
  const value = {
    phrase: 'SECRET',
    pin2: 'SECRET',
    answer,
    answers: [answer, 'SECRET'],
    told: { text: 'told' },
  }
  const faults = new Checker(api).check({ $ref: '#/schemas/Account' }).faults(value, 'request', 'body')
  assert(faults.length >= 12, JSON.stringify(faults))
  for (const { path, message } of faults) assert.doesNotMatch(message, /SECRET/, path)
  assert(faults.some(({ path, message }) => path === 'body.told.text' && message.endsWith('not "told"')))
})

test('an int64 that JSON.parse has rounded is refused', () => {
  assert.deepEqual(faults('{ type: integer, format: int64 }', JSON.parse('9007199254740993')), [
    'body must be a whole number of at most ±9007199254740991, which is exact, not 9007199254740992',
  ])
  assert.deepEqual(faults('{ type: integer, format: int64 }', Number.MIN_SAFE_INTEGER), [])
})
