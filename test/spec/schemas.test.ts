import assert from 'node:assert/strict'
import { test } from 'node:test'
import { api2, api3 } from './support/specs.ts'

/** The converted schema `A`. */
const converted = (schema: string) =>
  api3({ schemas: `A: ${schema}\nB: { type: object, properties: {} }` }).schemas.A

test('nullable becomes a type beside the others, and a nullable enum takes null', () => {
  assert.deepEqual(converted('{ type: string, nullable: true }'), { type: ['string', 'null'] })
  assert.deepEqual(converted('{ type: string, nullable: true, enum: [a] }'), {
    type: ['string', 'null'],
    enum: ['a', null],
  })
  assert.deepEqual(converted('{ type: integer, x-nullable: true }'), {
    type: ['integer', 'null'],
    'x-nullable': true,
  })
})

test('nullable beside a reference or a combination means: that, or null', () => {
  const orNull = (schema: unknown) => ({ anyOf: [schema, { type: 'null' }] })
  assert.deepEqual(
    converted("{ nullable: true, $ref: '#/components/schemas/B' }"),
    orNull({ $ref: '#/schemas/B' }),
  )
  assert.deepEqual(
    converted("{ nullable: true, allOf: [{ $ref: '#/components/schemas/B' }] }"),
    orNull({ allOf: [{ $ref: '#/schemas/B' }] }),
  )
})

test('a boolean exclusive bound becomes the bound itself', () => {
  assert.deepEqual(
    converted('{ type: number, minimum: 1, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false }'),
    { type: 'number', exclusiveMinimum: 1, maximum: 9 },
  )
})

test('extensions, annotations and the first short example are kept, larger examples are not', () => {
  assert.deepEqual(
    converted(
      '{ type: string, example: x, xml: {}, externalDocs: {}, description: d, readOnly: true, x-mine: 1, default: a }',
    ),
    { type: 'string', description: 'd', readOnly: true, 'x-mine': 1, default: 'a', example: 'x' },
  )
  const long = 'x'.repeat(101)
  assert.deepEqual(converted(`{ examples: [{ a: [1] }, ${long}, 7] }`), { example: 7 })
  assert.deepEqual(converted('{ type: object, example: { a: [1] } }'), { type: 'object' })
})

test('x-mandatory of PyMacaron makes a property required, beside the standard list', () => {
  const { A } = api2({
    definitions: `
A:
  type: object
  required: [a]
  properties:
    a: { type: string }
    b: { type: string, x-mandatory: true }
    c: { type: string }`,
  }).schemas
  assert.deepEqual(typeof A === 'object' ? A.required : undefined, ['a', 'b'])
})

test('a property may be called like any keyword', () => {
  const schema = converted(
    '{ type: object, properties: { $ref: { type: string }, type: { type: integer }, __proto__: { type: string } } }',
  )
  assert(typeof schema === 'object')
  assert.deepEqual(Object.keys(schema.properties ?? {}), ['$ref', 'type', '__proto__'])
})

test('a reference to any other place of the file is kept as a part, also one that holds itself', () => {
  const api = api3({
    paths: `
/a:
  post:
    requestBody:
      content:
        application/json:
          schema: { type: object, properties: { next: { $ref: '#/paths/~1a/post/requestBody/content/application~1json/schema' } } }
    responses: {}`,
  })
  const [pointer = ''] = Object.keys(api.parts)
  assert.equal(pointer, '/paths/~1a/post/requestBody/content/application~1json/schema')
  assert.deepEqual(api.parts[pointer], api.operations[0]?.body?.schema)
})

test('a file is no JSON, and a text is a body', () => {
  const api = api2({
    paths: `
/a:
  post:
    consumes: [text/plain]
    parameters: [{ name: body, in: body, schema: { type: string } }]
    responses: { 200: { schema: { type: file } } }`,
  })
  assert.deepEqual(api.operations[0]?.body?.content, [
    { mediaType: 'text/plain', kind: 'text', schema: { type: 'string' }, encoding: {} },
  ])
  assert.deepEqual(api.operations[0]?.replies, { 200: undefined })
})
