import assert from 'node:assert/strict'
import { test } from 'node:test'
import { api2, api3 } from './support/specs.ts'

const first = (paths: string) =>
  api3({ paths, schemas: 'Pet: { type: object, properties: {} }' }).operations[0]

test('an operation has its binding, decorators and model', () => {
  const operation = first(`
/pets:
  post:
    operationId: addPet
    summary: Adds a pet
    x-bind-server: shop.pets.add_pet
    x-decorate-server: shop.auth.admin
    requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } }
    responses: { 201: { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } }, default: { description: no } }`)
  assert.deepEqual(operation, {
    api: 'test',
    method: 'post',
    path: '/pets',
    operationId: 'addPet',
    binding: 'shop.pets.add_pet',
    served: true,
    summary: 'Adds a pet',
    decorators: ['shop.auth.admin'],
    authenticated: false,
    takesToken: false,
    parameters: [],
    body: {
      required: true,
      schema: { $ref: '#/schemas/Pet' },
      model: 'Pet',
      content: [
        { mediaType: 'application/json', kind: 'json', schema: { $ref: '#/schemas/Pet' }, encoding: {} },
      ],
      asParameters: false,
    },
    replies: { 201: { $ref: '#/schemas/Pet' }, default: undefined },
    replyMedia: { 201: ['application/json'], default: [] },
    place: { file: '/test/test.yaml', pointer: '/paths/~1pets/post' },
  })
})

test("PyMacaron's requires_auth, or security, asks for a token; an empty alternative leaves it open", () => {
  const authenticated = (lines: string) =>
    first(`/a:\n  get:\n    operationId: a\n    ${lines}\n    responses: {}`)?.authenticated
  assert.equal(authenticated('x-decorate-server: pymacaron.auth.requires_auth'), true)
  assert.equal(authenticated('security: [{ jwt: [] }]'), true)
  assert.equal(authenticated('security: []'), false)
  assert.equal(authenticated('security: [{ jwt: [] }, {}]'), false)
  assert.equal(authenticated('summary: open'), false)
})

test('security of the whole file counts where the operation says nothing', () => {
  const api = api2({
    top: 'security: [{ jwt: [] }]',
    paths: '/a: { get: { responses: {} } }\n/b: { get: { security: [], responses: {} } }',
  })
  assert.deepEqual(
    api.operations.map(({ authenticated }) => authenticated),
    [true, false],
  )
})

test('parameters of the path are joined, and those of the operation take their place', () => {
  const operation = first(`
/a/{id}:
  parameters:
    - { name: id, in: path, required: true, schema: { type: string } }
    - { name: q, in: query, schema: { type: string } }
  get:
    parameters: [{ name: q, in: query, required: true, schema: { type: integer } }]
    responses: {}`)
  assert.deepEqual(
    operation?.parameters.map(({ name, required, schema }) => [name, required, schema]),
    [
      ['id', true, { type: 'string' }],
      ['q', true, { type: 'integer' }],
    ],
  )
})

test('collectionFormat becomes the style that reads the same', () => {
  const { parameters = [] } =
    api2({
      paths: `
/a:
  get:
    parameters:
      - { name: csv, in: query, type: array, items: { type: string } }
      - { name: multi, in: query, type: array, items: { type: string }, collectionFormat: multi }
      - { name: ssv, in: query, type: array, items: { type: string }, collectionFormat: ssv }
      - { name: tsv, in: query, type: array, items: { type: string }, collectionFormat: tsv }
      - { name: pipes, in: query, type: array, items: { type: string }, collectionFormat: pipes }
      - { name: head, in: header, type: array, items: { type: string } }
    responses: {}`,
    }).operations[0] ?? {}
  assert.deepEqual(
    parameters.map(({ name, style, explode }) => `${name} ${style} ${explode}`),
    [
      'csv form false',
      'multi form true',
      'ssv spaceDelimited false',
      'tsv tabDelimited false',
      'pipes pipeDelimited false',
      'head simple false',
    ],
  )
})

test('headers that OpenAPI 3 tells to ignore are no parameters', () => {
  const operation = first(`
/a:
  get:
    parameters:
      - { name: Authorization, in: header, required: true, schema: { type: string } }
      - { name: X-Mine, in: header, schema: { type: string } }
    responses: {}`)
  assert.deepEqual(
    operation?.parameters.map(({ name }) => name),
    ['X-Mine'],
  )
})

test('an operation with x-no-bind-server is listed, but not served', () => {
  assert.equal(first('/a: { get: { x-no-bind-server: true, responses: {} } }')?.served, false)
})
