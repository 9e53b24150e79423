import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checksOf } from '../../src/spec/checks.ts'
import { generate } from '../../src/spec/emit.ts'
import { ModelRegistry } from '../../src/spec/model-registry.ts'
import { readApi } from '../../src/spec/read-api.ts'

/** One API in the three versions of OpenAPI: what is said differently in each. */

const swagger2 = `
swagger: '2.0'
info: { title: Shop, version: '1' }
basePath: /v1
paths:
  /accounts/{id}:
    put:
      x-bind-server: shop.replace_account
      parameters:
        - { name: id, in: path, required: true, type: integer, format: int64 }
        - { name: tags, in: query, type: array, items: { type: string }, collectionFormat: multi }
        - { name: since, in: query, type: string, format: date-time }
        - { name: account, in: body, required: true, schema: { $ref: '#/definitions/Account' } }
      responses:
        '200': { description: ok, schema: { $ref: '#/definitions/Account' } }
        default: { description: no, schema: { $ref: '#/definitions/Problem' } }
definitions:
  Account:
    type: object
    description: Who buys
    required: [name, id]
    properties:
      id: { type: integer, readOnly: true }
      name: { type: string, x-nullable: true }
      kind: { type: string, enum: [person], default: person }
      level: { type: string, enum: [low, high], x-nullable: true }
      score: { type: number, minimum: 0, exclusiveMinimum: true }
      key: { type: string, format: byte }
      born: { type: string, format: date-time, x-nullable: true }
      address: { $ref: '#/definitions/Address', x-nullable: true }
      others: { type: array, items: { $ref: '#/definitions/Address' } }
      notes: { type: object, additionalProperties: { type: string } }
  Address: { type: object, additionalProperties: false, properties: { city: { type: string, x-mandatory: true } } }
  Problem: { type: object, properties: { text: { type: string } } }
`

const openapi30 = `
openapi: 3.0.3
info: { title: Shop, version: '1' }
servers: [{ url: /v1 }]
paths:
  /accounts/{id}:
    put:
      x-bind-server: shop.replace_account
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer, format: int64 } }
        - { name: tags, in: query, schema: { type: array, items: { type: string } } }
        - { name: since, in: query, schema: { type: string, format: date-time } }
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Account' } } } }
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Account' } } } }
        default: { description: no, content: { application/json: { schema: { $ref: '#/components/schemas/Problem' } } } }
components:
  schemas:
    Account:
      type: object
      description: Who buys
      required: [name, id]
      properties:
        id: { type: integer, readOnly: true }
        name: { type: string, nullable: true }
        kind: { type: string, enum: [person], default: person }
        level: { type: string, enum: [low, high], nullable: true }
        score: { type: number, minimum: 0, exclusiveMinimum: true }
        key: { type: string, format: byte }
        born: { type: string, format: date-time, nullable: true }
        address: { allOf: [{ $ref: '#/components/schemas/Address' }], nullable: true }
        others: { type: array, items: { $ref: '#/components/schemas/Address' } }
        notes: { type: object, additionalProperties: { type: string } }
    Address: { type: object, additionalProperties: false, required: [city], properties: { city: { type: string } } }
    Problem: { type: object, properties: { text: { type: string } } }
`

const openapi31 = `
openapi: 3.1.0
info: { title: Shop, version: '1' }
servers: [{ url: /v1 }]
paths:
  /accounts/{id}:
    put:
      x-bind-server: shop.replace_account
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer, format: int64 } }
        - { name: tags, in: query, schema: { type: array, items: { type: string } } }
        - { name: since, in: query, schema: { type: string, format: date-time } }
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Account' } } } }
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Account' } } } }
        default: { description: no, content: { application/json: { schema: { $ref: '#/components/schemas/Problem' } } } }
components:
  schemas:
    Account:
      type: object
      description: Who buys
      required: [name, id]
      properties:
        id: { type: integer, readOnly: true }
        name: { type: [string, 'null'] }
        kind: { type: string, const: person, default: person }
        level: { type: [string, 'null'], enum: [low, high, null] }
        score: { type: number, exclusiveMinimum: 0 }
        key: { type: string, contentEncoding: base64 }
        born: { type: [string, 'null'], format: date-time }
        address: { anyOf: [{ $ref: '#place' }, { type: 'null' }] }
        others: { type: array, items: { $dynamicRef: '#place' } }
        notes: { type: object, additionalProperties: { type: string } }
    Address: { $dynamicAnchor: place, type: object, additionalProperties: false, required: [city], properties: { city: { type: string } } }
    Problem: { type: object, properties: { text: { type: string } } }
`

const versions = { '2.0': swagger2, '3.0': openapi30, '3.1': openapi31 }
const apis = Object.values(versions).map((text) => readApi('/test/shop.yaml', text, { basePath: 'apply' }))

test('the same API gives the same generated file, whichever version it is written in', () => {
  const [first = '', ...others] = apis.map(generate)
  assert.match(first, /export class Account extends Model<AccountInit> \{/)
  assert.match(first, /export interface AccountRequest extends Model \{/)
  for (const other of others) assert.equal(other, first)
  assert.deepEqual(apis.map(generate), [first, ...others])
})

test('the same API finds the same faults, whichever version it is written in', () => {
  const [first = [], ...others] = apis.map((api) => {
    const [operation] = api.operations
    assert(operation)
    const read = checksOf(api, operation, new ModelRegistry()).request({
      params: { id: 'x' },
      query: 'since=yesterday',
      headers: {},
      body: {
        kind: 'firm',
        level: 'no',
        score: 0,
        key: '%',
        born: 'x',
        address: { town: '' },
        others: [null],
        notes: { a: 1 },
      },
    })
    return 'faults' in read ? read.faults : []
  })
  assert.equal(first.length, 12, JSON.stringify(first))
  for (const other of others) assert.deepEqual(other, first)
})

test('the same API takes the same nulls and Dates, whichever version it is written in', () => {
  for (const api of apis) {
    const models = new ModelRegistry()
    models.addApis([api])
    const Account = models.find('shop', 'Account')
    assert(Account)
    const account = Account.from({
      name: null,
      level: null,
      born: null,
      address: null,
      others: [{ city: 'x' }],
    })
    assert.deepEqual(account.toJSON(), {
      name: null,
      level: null,
      born: null,
      address: null,
      others: [{ city: 'x' }],
      kind: 'person',
    })
  }
})
