import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currentRequest } from '../../src/core/context.ts'
import { reply } from '../../src/http/reply.ts'
import { Model } from '../../src/spec/models.ts'
import { loginAt } from '../clients/setup.ts'
import { api2, api3 } from '../spec/support/specs.ts'
import { collect, post } from './service.ts'
import { serveApi } from './spec-service.ts'

/** What is readOnly, and what writeOnly, in real requests and replies. */

const schemas = `
Owned: { type: object, required: [owner], properties: { owner: { type: string, readOnly: true } } }
Account:
  allOf:
    - $ref: '#/components/schemas/Owned'
    - type: object
      required: [id, name]
      properties:
        id: { type: integer, readOnly: true }
        name: { type: string }
        state: { type: string, readOnly: true, default: new }
        born: { type: string, format: date-time }
        password: { type: string, writeOnly: true }
        friends: { type: array, items: { $ref: '#/components/schemas/Account' } }
        address: { type: object, properties: { city: { type: string }, verified: { type: boolean, readOnly: true } } }
        notes: { type: object, additionalProperties: { $ref: '#/components/schemas/Note' } }
        pet: { $ref: '#/components/schemas/Pet' }
        link: { oneOf: [{ type: object, required: [a], properties: { a: { type: string }, seen: { type: integer, readOnly: true } } },
                        { type: object, required: [b], properties: { b: { type: string }, seen: { type: integer } } }] }
Note: { type: object, properties: { text: { type: string }, at: { type: integer, readOnly: true } } }
Pet: { oneOf: [{ $ref: '#/components/schemas/Dog' }, { $ref: '#/components/schemas/Cat' }], discriminator: { propertyName: kind } }
Dog: { type: object, required: [kind], properties: { kind: { type: string }, chip: { type: string, readOnly: true } } }
Cat: { type: object, required: [kind], properties: { kind: { type: string }, chip: { type: string } } }`

const shop = () =>
  api3({
    schemas,
    paths: `
/accounts: { post: { operationId: add, requestBody: { required: true, content: {
  application/json: { schema: { $ref: '#/components/schemas/Account' } }, application/x-www-form-urlencoded: { schema: { $ref: '#/components/schemas/Account' } },
  multipart/form-data: { schema: { $ref: '#/components/schemas/Account' } } } },
  responses: { 200: { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Account' } } } } } } }
/inline: { post: { operationId: inline, requestBody: { content: { application/json: { schema: { type: object, properties: { id: { type: integer, readOnly: true }, a: { type: string } } } } } },
  responses: { 200: { description: ok } } } }`,
  })

const account = { id: 7, name: 'Ada', owner: 'me', state: 'old' }

test('a handler never sees what is readOnly, wherever it stands in a body; its caller is not refused', async (t) => {
  let seen: unknown
  let sent: unknown
  const server = await serveApi(t, shop(), {
    add: (body) => {
      seen = body
      sent = currentRequest()?.body
      return { id: 1, name: 'Ada', owner: 'you' }
    },
  })
  const body = {
    ...account,
    password: 'hunter2',
    friends: [account, { ...account, friends: [account] }],
    address: { city: 'London', verified: true },
    pet: { kind: 'Dog', chip: 'c' },
    link: { a: 'x', seen: 1 },
    notes: { other: { text: 'free', at: 1 } },
  }
  const { status, text } = await post(server, '/accounts', body)
  assert.equal(status, 200, text)
  assert.ok(seen instanceof Model)
  assert.deepEqual(JSON.parse(JSON.stringify(seen)), {
    name: 'Ada',
    password: 'hunter2',
    friends: [{ name: 'Ada' }, { name: 'Ada', friends: [{ name: 'Ada' }] }],
    address: { city: 'London' },
    pet: { kind: 'Dog' },
    link: { a: 'x' },
    notes: { other: { text: 'free' } },
  })
  assert.deepEqual(sent, body)
  await post(server, '/accounts', { name: 'Ada', pet: { kind: 'Cat', chip: 'c' }, link: { b: 'x', seen: 1 } })
  assert.deepEqual(JSON.parse(JSON.stringify(seen)), {
    name: 'Ada',
    pet: { kind: 'Cat', chip: 'c' },
    link: { b: 'x', seen: 1 },
  })
})

test('nor in a form, in a body without a model, or under Swagger 2.0', async (t) => {
  const seen: unknown[] = []
  const keep = (body: unknown) => {
    seen.push(JSON.parse(JSON.stringify(body)))
    return { id: 1, name: 'Ada', owner: 'you' }
  }
  const server = await serveApi(t, shop(), { usual: keep })
  await post(server, '/accounts', 'id=7&name=Ada&owner=me&address[verified]=true&address[city]=L', {
    'content-type': 'application/x-www-form-urlencoded',
  })
  const form = new FormData()
  for (const [name, value] of Object.entries(account)) form.append(name, String(value))
  await fetch(`${server.address.url}/accounts`, { method: 'POST', body: form })
  await post(server, '/inline', { id: 7, a: 'b' })
  const old = api2({
    definitions:
      'A: { type: object, required: [id], properties: { id: { type: integer, readOnly: true }, a: { type: string } } }',
    paths: `
/a: { post: { operationId: a, parameters: [{ name: a, in: body, schema: { $ref: '#/definitions/A' } }], responses: {} } }`,
  })
  await post(await serveApi(t, old, { usual: keep }), '/a', { id: 7, a: 'b' })
  assert.deepEqual(seen, [{ name: 'Ada', address: { city: 'L' } }, { name: 'Ada' }, { a: 'b' }, { a: 'b' }])
})

const bad = [
  ['plain data', { ...account, password: 'hunter2' }, /body\.password: is writeOnly/],
  [
    'a list in it',
    { ...account, friends: [{ ...account, password: 'hunter2' }] },
    /body\.friends\[0\]\.password: is writeOnly/,
  ],
] as const

for (const [what, data, told] of bad) {
  test(`a reply with what is writeOnly in ${what} is a fault of the service, and is not sent`, async (t) => {
    const mismatches = collect(t, 'reply.mismatch')
    const server = await serveApi(t, shop(), { add: () => data })
    const { status, text, json } = await post(server, '/accounts', { name: 'Ada' })
    assert.deepEqual([status, json.error], [500, 'BAD_RESPONSE'])
    assert.match(String(mismatches[0]?.faults), told)
    assert.ok(!`${text}${JSON.stringify(mismatches)}`.includes('hunter2'))
  })
}

test('a model with a password is no reply, unless its toJSON leaves that out', async (t) => {
  const api = shop()
  const whole = await serveApi(t, api, { add: (body) => Object.assign(Object(body), account) })
  assert.equal((await post(whole, '/accounts', { name: 'Ada', password: 'hunter2' })).status, 500)
  const shown = await serveApi(t, api, {
    add: (body) => ({
      ...account,
      password: undefined,
      friends: [{ ...Object(body), toJSON: () => account }],
    }),
  })
  const { status, json } = await post(shown, '/accounts', { name: 'Ada', password: 'hunter2' })
  assert.deepEqual([status, json.friends], [200, [account]])
})

test('where replies are only logged, it is logged', async (t) => {
  const mismatches = collect(t, 'reply.mismatch')
  const data = { ...account, password: 'hunter2' }
  const server = await serveApi(t, shop(), { add: () => reply(200, data) }, { replyCheck: 'log' })
  assert.equal((await post(server, '/accounts', { name: 'Ada' })).status, 200)
  assert.equal(mismatches.length, 1)
})

test('a client takes such a reply of another service as it is', async (t) => {
  const server = await serveApi(
    t,
    shop(),
    { add: () => ({ ...account, password: 'x' }) },
    { replyCheck: 'off' },
  )
  // The spec has this operation.
  const client = loginAt(server.address.url, { loadApi: async () => shop() }) as unknown as {
    add(body: object): Promise<unknown>
  }
  const got = await client.add({ name: 'Ada' })
  assert.deepEqual(JSON.parse(JSON.stringify(got)), { ...account, password: 'x' })
})
