import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Api } from '../../src/spec/api.ts'
import { Checker } from '../../src/spec/checker.ts'
import { checksOf } from '../../src/spec/checks.ts'
import { ModelRegistry } from '../../src/spec/model-registry.ts'
import { Model } from '../../src/spec/models.ts'
import { api3 } from './support/specs.ts'

const shop = () =>
  api3({
    name: 'shop',
    schemas: `
Item:
  type: object
  required: [sku, price]
  properties:
    sku: { type: string }
    price: { type: number, minimum: 0 }
    at: { type: string, format: date-time }
Order:
  type: object
  required: [id, items, secret]
  additionalProperties: false
  properties:
    id: { type: integer, readOnly: true }
    secret: { type: string, writeOnly: true }
    items: { type: array, items: { $ref: '#/components/schemas/Item' } }
    state: { type: string, enum: [new, paid], default: new }`,
    paths: `
/orders/{shop}:
  post:
    parameters:
      - { name: shop, in: path, required: true, schema: { type: integer } }
      - { name: dry, in: query, schema: { type: boolean, default: false } }
    requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
    responses:
      201: { description: made, content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
      204: { description: nothing }
      4XX: { description: no, content: { application/json: { schema: { type: object, required: [error], properties: { error: { type: string } } } } } }`,
  })

function checksOfFirst(api: Api, models = new ModelRegistry()) {
  const [operation] = api.operations
  assert(operation)
  return checksOf(api, operation, models)
}

const request = { params: { shop: '7' }, query: '', headers: {} }
const order = () => ({ secret: 's', items: [{ sku: 'a', price: 1, at: '2026-11-23T10:00:00Z' }] })

test('a valid request is given with models, Dates and defaults', () => {
  const models = new ModelRegistry()
  const api = shop()
  const read = checksOfFirst(api, models).request({ ...request, body: order() })
  assert('decoded' in read)
  const { body, named, params, query } = read.decoded
  assert(body instanceof Model)
  assert.deepEqual(models.nameOf(body), { api: 'shop', name: 'Order' })
  assert.deepEqual({ ...body, items: undefined }, { secret: 's', items: undefined, state: 'new' })
  const [item] = Reflect.get(body, 'items')
  assert.deepEqual(models.nameOf(item), { api: 'shop', name: 'Item' })
  assert.deepEqual({ ...item }, { sku: 'a', price: 1, at: new Date('2026-11-23T10:00:00Z') })
  assert.deepEqual([named, params, query], [{ shop: 7, dry: false }, { shop: 7 }, { dry: false }])
})

test('all faults of parameters and body come in one list', () => {
  const read = checksOfFirst(shop()).request({
    ...request,
    params: { shop: 'x' },
    query: 'dry=1',
    body: { items: [{ sku: 1, price: '2' }, { price: -1 }], stat: 'x', state: 'old' },
  })
  assert('faults' in read)
  assert.deepEqual(read.faults.map(({ path, message }) => `${path} ${message}`).sort(), [
    'body.items[0].price must be a number, not "2"',
    'body.items[0].sku must be a string, not 1',
    'body.items[1].price must be at least 0, not -1',
    'body.items[1].sku is required',
    'body.secret is required',
    'body.stat is not a known property. Did you mean "state"?',
    'body.state must be one of "new", "paid", not "old".',
    'path.shop must be a whole number, not "x"',
    'query.dry must be true or false, not "1"',
  ])
})

test('a body is not coerced, nothing is dropped from it, and what was parsed stays as it was', () => {
  const api = api3({
    schemas: 'A: { type: object, properties: { n: { type: integer, default: 1 } } }',
    paths: `/a: { post: { requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/A' } } } }, responses: {} } }`,
  })
  const checks = checksOfFirst(api)
  assert('faults' in checks.request({ ...request, body: { n: '1' } }))
  const body = { extra: { deep: [1] } }
  const read = checks.request({ ...request, body })
  assert('decoded' in read)
  assert.deepEqual({ ...Object(read.decoded.body) }, { extra: { deep: [1] }, n: 1 })
  assert.deepEqual(body, { extra: { deep: [1] } })
})

test('a missing body is a fault only where it is required', () => {
  assert.deepEqual(checksOfFirst(shop()).request({ ...request, body: undefined }), {
    faults: [{ path: 'body', message: 'is required' }],
  })
  const api = api3({
    paths:
      '/a: { post: { requestBody: { content: { application/json: { schema: { type: string } } } }, responses: {} } }',
  })
  const read = checksOfFirst(api).request({ ...request, body: undefined })
  assert('decoded' in read && read.decoded.body === undefined)
})

test('readOnly properties are required in replies only, writeOnly ones in requests only', () => {
  const checks = checksOfFirst(shop())
  assert('decoded' in checks.request({ ...request, body: order() }))
  assert.deepEqual(checks.reply(201, { items: [] }), [{ path: 'body.id', message: 'is required' }])
  assert.deepEqual(checks.reply(201, { items: [], id: 1 }), [])
})

const required = [
  ['beside the allOf', `allOf: [{ $ref: '#/components/schemas/Base' }], required: [id, password, state]`],
  ['in another part', `allOf: [{ $ref: '#/components/schemas/Base' }, { required: [id, password, state] }]`],
  [
    'deeper',
    `allOf: [{ $ref: '#/components/schemas/Base' }, { allOf: [{ required: [id, password, state] }] }]`,
  ],
] as const

for (const [where, form] of required) {
  test(`so are those that are required ${where}`, () => {
    const schemas = `
Base: { type: object, properties: { id: { type: integer, readOnly: true }, password: { type: string, writeOnly: true }, state: { type: string, default: new } } }
Account: { ${form} }`
    const check = new Checker(api3({ schemas })).check({ $ref: '#/schemas/Account' })
    assert.deepEqual(check.faults({ password: 'p' }, 'request', 'body'), [])
    assert.deepEqual(check.faults({ id: 1, state: 'new' }, 'reply', 'body'), [])
    assert.deepEqual(check.faults({}, 'model', 'body'), [])
    assert.deepEqual(
      check.faults({}, 'request', 'body').map(({ path }) => path),
      ['body.password'],
    )
    assert.deepEqual(
      check.faults({}, 'reply', 'body').map(({ path }) => path),
      ['body.id', 'body.state'],
    )
  })
}

test('a reply is held against its status, then its class, then the default', () => {
  const checks = checksOfFirst(shop())
  assert.deepEqual(checks.reply(404, {}), [{ path: 'body.error', message: 'is required' }])
  assert.deepEqual(checks.reply(404, { error: 'NO' }), [])
  assert.deepEqual(checks.reply(204, undefined), [])
  assert.equal(checks.reply(500, {}), 'undeclared')
})

test('a reply may hold models and Dates, and is not changed by its check', () => {
  const checks = checksOfFirst(shop())
  const reply = { id: 1, items: [{ sku: 'a', price: 1, at: new Date(0) }] }
  assert.deepEqual(checks.reply(201, reply), [])
  assert.deepEqual(Object.keys(reply), ['id', 'items'])
  assert.deepEqual(
    checks.reply(201, { id: 1, items: [{ sku: 'a', price: 1, at: new Date(Number.NaN) }] }).length,
    1,
  )
})

test('a reply is judged by what will be sent: values with toJSON fit as what that gives', () => {
  const checks = checksOfFirst(shop())
  const sku = { toJSON: () => 'a' }
  assert.deepEqual(checks.reply(201, { id: 1, items: [{ sku, price: 1 }], more: undefined }), [])
  assert.deepEqual(checks.reply(201, { id: 1n, items: [] }), [
    { path: 'body.id', message: 'must be a whole number, not 1n' },
  ])
})

test('every rule that a parameter breaks is told', () => {
  const api = api3({
    paths: `/a: { get: { parameters: [{ name: v, in: query, schema: { type: string, minLength: 3, pattern: '^[a-z]+$' } }], responses: {} } }`,
  })
  const read = checksOfFirst(api).request({ params: {}, query: 'v=A', headers: {}, body: undefined })
  assert.deepEqual('faults' in read && read.faults.map(({ message }) => message).sort(), [
    'must have at least 3 characters',
    'must match /^[a-z]+$/, not "A"',
  ])
})
