import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Api } from '../../src/spec/api.ts'
import { Checker } from '../../src/spec/checker.ts'
import { generate } from '../../src/spec/emit.ts'
import { ModelRegistry } from '../../src/spec/model-registry.ts'
import { readApi } from '../../src/spec/read-api.ts'

/** What JSON Schema 2020-12 has beyond the schemas of OpenAPI 3.0. */

function api31(schemas: string): Api {
  const lines = schemas
    .trim()
    .split('\n')
    .map((line) => `    ${line}`)
  const text = [
    'openapi: 3.1.1',
    'info: { title: test, version: "1" }',
    'components:',
    '  schemas:',
    ...lines,
  ]
  return readApi('/test/test.yaml', text.join('\n'), { basePath: 'apply' })
}

function faults(schema: string, value: unknown): string[] {
  const api = api31(`A: ${schema}\nB: { $anchor: b, type: object, properties: { x: { type: string } } }`)
  const check = new Checker(api).check({ $ref: '#/schemas/A' })
  const told = check.faults(value, 'request', 'body').map(({ path, message }) => `${path} ${message}`)
  assert.equal(check.fits(value, 'request'), told.length === 0)
  return told
}

const rules: readonly (readonly [string, unknown, readonly string[]])[] = [
  ['{ const: x }', 'y', ['body must be "x", not "y".']],
  ['{ type: [integer, "null"] }', 'y', ['body must be a whole number or null, not "y"']],
  [
    '{ prefixItems: [{ type: integer }, { type: string }], items: false }',
    [1, 'a', 2],
    ['body must have at most 2 items'],
  ],
  [
    '{ prefixItems: [{ type: integer }], items: { type: string } }',
    ['a', 'b', 1],
    ['body[0] must be a whole number, not "a"', 'body[2] must be a string, not 1'],
  ],
  ['{ prefixItems: [true], unevaluatedItems: false }', [1, 2, 3], ['body must have at most one item']],
  [
    '{ contains: { type: integer } }',
    ['a'],
    ['body must hold at least one item of the kind that the schema asks for'],
  ],
  [
    '{ contains: { const: 1 }, minContains: 2, maxContains: 3 }',
    [1],
    ['body must hold at least 2 items and at most 3 of the kind that the schema asks for'],
  ],
  [
    '{ patternProperties: { "^d": { type: integer } }, additionalProperties: false }',
    { d1: 'x', e: 1 },
    ['body.e is not a known property.', 'body.d1 must be a whole number, not "x"'],
  ],
  [
    '{ propertyNames: { pattern: "^a" } }',
    { b: 1 },
    ['body has the property "b", whose name must match /^a/'],
  ],
  ['{ dependentRequired: { card: [name] } }', { card: 1 }, ['body.name is required where "card" is given']],
  ['{ dependentSchemas: { card: { required: [name] } } }', { card: 1 }, ['body.name is required']],
  [
    '{ if: { required: [a] }, then: { required: [b] }, else: { required: [c] } }',
    { a: 1 },
    ['body.b is required'],
  ],
  ['{ if: { required: [a] }, then: { required: [b] }, else: { required: [c] } }', {}, ['body.c is required']],
  [
    '{ allOf: [{ $ref: "#b" }], properties: { y: true }, unevaluatedProperties: false }',
    { x: 'x', y: 1, z: 1 },
    ['body.z is not a known property.'],
  ],
  [
    '{ anyOf: [{ properties: { y: true } }, { type: string }], unevaluatedProperties: false }',
    { y: 1, z: 1 },
    ['body.z is not a known property.'],
  ],
  ['{ anyOf: [{ properties: { y: true } }, { type: string }], unevaluatedProperties: false }', { y: 1 }, []],
  [
    '{ $ref: "#b", required: [x], maxProperties: 1 }',
    { y: 1, z: 2 },
    ['body must have at most one property, not 2', 'body.x is required'],
  ],
  ['{ type: object, properties: { no: false } }', { no: 1 }, ['body.no is not allowed here']],
]

for (const [schema, value, told] of rules) {
  test(`${schema} of ${JSON.stringify(value)}`, () => {
    assert.deepEqual(faults(schema, value).sort(), [...told].sort())
  })
}

test('tuples, maps by pattern, constants and conditional properties have types', () => {
  const text = generate(
    api31(`
Tuple: { type: array, minItems: 1, prefixItems: [{ type: integer }, { type: string, format: date-time }], items: { type: boolean } }
Pair: { prefixItems: [{ type: integer }, { type: [string, "null"] }], items: false, minItems: 2 }
ByPattern: { type: object, patternProperties: { '^d': { type: integer }, '^s': { type: string } } }
Fixed: { const: x }
Maybe: { type: object, properties: { kind: { enum: [a, b] } }, if: { properties: { kind: { const: a } } }, then: { required: [more], properties: { kind: { const: a }, more: { type: integer, default: 3 } } } }
Some: { type: object, properties: { a: { type: string } }, patternProperties: { '^x': { type: integer } } }`),
  )
  for (const expected of [
    'type Tuple = [number, Date?, ...boolean[]]',
    'type Pair = [number, string | null]',
    'type ByPattern = { [name: string]: number | string }',
    "type Fixed = 'x'",
    "declare kind?: 'a' | 'b'\n  declare more?: number\n",
    'readonly a?: string | undefined\n  readonly [name: string]: unknown',
  ]) {
    assert(text.includes(expected), `${expected}\n${text}`)
  }
})

test('items by place and properties by pattern become Dates and models', () => {
  const api = api31(`
Line: { type: object, properties: { at: { type: array, prefixItems: [{ type: integer }, { type: string, format: date-time }], items: { $ref: '#/components/schemas/Line' } } }, patternProperties: { '^on_': { type: string, format: date-time } } }`)
  const models = new ModelRegistry()
  models.addApis([api])
  const Line = models.find('test', 'Line')
  assert(Line)
  const when = '2026-11-23T10:00:00.000Z'
  const line = Line.from({ at: [1, when, {}, { on_x: when }], on_time: when, off: when })
  assert(line instanceof Object && 'at' in line && Array.isArray(line.at))
  const [one, date, , inner] = line.at
  assert.deepEqual([one, date], [1, new Date(when)])
  assert(inner instanceof Line)
  assert.deepEqual({ ...inner }, { on_x: new Date(when) })
  assert.deepEqual(line.toJSON(), { at: [1, when, {}, { on_x: when }], on_time: when, off: when })
})

test('schemas are found by $anchor, by $id and by both; what is called so twice is refused', () => {
  const schemas = `
A: { $id: 'https://shop.test/a', type: object, properties: { b: { $ref: '#b' }, a: { $ref: 'https://shop.test/a' }, c: { $ref: 'https://shop.test/c#c' } } }
B: { $anchor: b, type: object, properties: { n: { type: integer } } }
C: { $id: 'https://shop.test/c', $defs: { inner: { $anchor: c, type: string } } }`
  assert.match(generate(api31(schemas)), /declare b\?: B\n {2}declare a\?: A\n {2}declare c\?: Inner\n/)
  assert.throws(() => api31(`${schemas}\nD: { $dynamicAnchor: b }`), {
    code: 'SPEC_INVALID',
    message: /:\d+: The reference "#b" is not clear: both \S+B and \S+D are called so/,
  })
})

test('faults of 3.1 keywords are told with their lines', () => {
  assert.throws(
    () =>
      api31(`
A:
  patternProperties: { '(': {} }
  dependentRequired: { a: b }
  prefixItems: {}
  if: yes`),
    (error: Error) => {
      assert.deepEqual(
        error.message.split('\n').map((line) => line.replace('/test/test.yaml:', '')),
        [
          '7:7: "dependentRequired" must be an object with a list of property names for each property, not an object',
          '9:7: A schema must be an object, not "yes"',
          '6:28: "(" is no regular expression',
          '8:7: "prefixItems" must be a list, not an object',
        ],
      )
      return true
    },
  )
})

test('a file of 3.1 may have components only, one without any of them is refused', () => {
  assert.equal(api31('A: {}').operations.length, 0)
  assert.throws(() => readApi('/test/a.yaml', 'openapi: 3.1.0', { basePath: 'apply' }), /has no "paths"/)
})
