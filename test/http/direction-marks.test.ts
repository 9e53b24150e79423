import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Api } from '../../src/spec/api.ts'
import { api2, api3 } from '../spec/support/specs.ts'
import { collect, post } from './service.ts'
import { serveApi } from './spec-service.ts'

/** Marks of properties that don't stand at the property: in 2.0 and 3.0 nothing counts beside a reference, so authors put them where it leads. */

const marked = (at: string) => `
Id: { type: integer, readOnly: true }
Stamp: { allOf: [{ $ref: '${at}/Id' }] }
Password: { type: string, writeOnly: true }
Secret: { allOf: [{ $ref: '${at}/Password' }], description: Known to one }
Account:
  type: object
  required: [id, name, password]
  properties:
    id: { $ref: '${at}/Id' }
    at: { allOf: [{ $ref: '${at}/Stamp' }], description: When }
    name: { type: string }
    password: { $ref: '${at}/Password' }
    secret: { $ref: '${at}/Secret' }`

const asNull = `
    seen: { $ref: '#/components/schemas/Id', nullable: true }
    pin: { nullable: true, allOf: [{ $ref: '#/components/schemas/Password' }] }`

const account3 = `{ application/json: { schema: { $ref: '#/components/schemas/Account' } } }`
const versions: readonly (readonly [string, Api])[] = [
  [
    'OpenAPI 3.0',
    api3({
      schemas: `${marked('#/components/schemas')}${asNull}`,
      paths: `
/accounts: { post: { operationId: add, requestBody: { required: true, content: ${account3} }, responses: { 200: { description: ok, content: ${account3} } } } }`,
    }),
  ],
  [
    'Swagger 2.0',
    api2({
      definitions: marked('#/definitions'),
      paths: `
/accounts: { post: { operationId: add, parameters: [{ name: a, in: body, required: true, schema: { $ref: '#/definitions/Account' } }],
  responses: { 200: { description: ok, schema: { $ref: '#/definitions/Account' } } } } }`,
    }),
  ],
]

for (const [version, api] of versions) {
  test(`under ${version} what a property refers to says that only replies have it`, async (t) => {
    const seen: unknown[] = []
    const server = await serveApi(t, api, {
      add: (body) => {
        seen.push({ ...Object(body) })
        return { id: 1, name: 'Ada' }
      },
    })
    const sent = { id: 7, at: 8, name: 'Ada', password: 'p', secret: 's' }
    const { status, text } = await post(server, '/accounts', sent)
    assert.equal(status, 200, text)
    assert.equal((await post(server, '/accounts', { name: 'Bob', password: 'q' })).status, 200)
    assert.deepEqual(seen, [
      { name: 'Ada', password: 'p', secret: 's' },
      { name: 'Bob', password: 'q' },
    ])
    const { json } = await post(server, '/accounts', { name: 'Eve' })
    assert.match(String(json.error_description), /body\.password: is required/)
  })

  test(`under ${version} what a property refers to says that only requests have it`, async (t) => {
    const mismatches = collect(t, 'reply.mismatch')
    const replies: unknown[] = [
      { id: 1, name: 'Ada', password: 'hunter2' },
      { id: 1, name: 'Ada', secret: 'hunter2' },
      { name: 'Ada' },
    ]
    const server = await serveApi(t, api, { add: () => replies.shift() })
    const told = []
    while (replies.length > 0) {
      const { status, text } = await post(server, '/accounts', { name: 'Ada', password: 'p' })
      assert.equal(status, 500)
      told.push(text)
    }
    assert.match(String(mismatches[0]?.faults), /body\.password: is writeOnly/)
    assert.match(String(mismatches[1]?.faults), /body\.secret: is writeOnly/)
    assert.match(String(mismatches[2]?.faults), /body\.id: is required/)
    assert.ok(!JSON.stringify([told, mismatches]).includes('hunter2'))
  })
}

test('so it does where the property may be null too', async (t) => {
  const [[, api] = assert.fail()] = versions
  let seen: unknown
  const replies: unknown[] = [
    { id: 1, name: 'Ada' },
    { id: 1, name: 'Ada', pin: '1234' },
  ]
  const server = await serveApi(t, api, {
    add: (body) => {
      seen = { ...Object(body) }
      return replies.shift()
    },
  })
  const sent = { name: 'Ada', password: 'p', pin: '1234', seen: 7 }
  assert.equal((await post(server, '/accounts', sent)).status, 200)
  assert.deepEqual(seen, { name: 'Ada', password: 'p', pin: '1234' })
  assert.equal((await post(server, '/accounts', sent)).status, 500)
})
