import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Model } from '../../src/spec/models.ts'
import { api3 } from '../spec/support/specs.ts'
import { post } from './service.ts'
import { serveApi } from './spec-service.ts'

/** What is readOnly in unions without a discriminator: the branch that the check of a request chose says it. */

const body = (union: string) =>
  `{ post: { requestBody: { required: true, content: { application/json: { schema: ${union} } } }, responses: { 200: { description: ok } } } }`
const ref = (name: string) => `{ $ref: '#/components/schemas/${name}' }`

const api = api3({
  schemas: `
Login: { type: object, required: [password], properties: { password: { type: string, writeOnly: true }, role: { type: string } } }
Person: { type: object, required: [name], properties: { name: { type: string }, role: { type: string, readOnly: true } } }
Tagged: { type: object, properties: { tag: { type: string }, role: { type: string, default: guest } } }
Owned: { type: object, properties: { tag: { type: string }, owner: { type: integer, readOnly: true } } }
Free: { type: object, additionalProperties: { type: string } }`,
  paths: `
/either: ${body(`{ oneOf: [${ref('Login')}, ${ref('Person')}] }`)}
/some: ${body(`{ anyOf: [${ref('Tagged')}, ${ref('Person')}, ${ref('Owned')}] }`)}
/list: ${body(`{ type: array, items: { anyOf: [${ref('Free')}, ${ref('Person')}] } }`)}`,
})

async function receiving(t: Parameters<typeof serveApi>[0], path: string, sent: unknown): Promise<unknown> {
  let seen: unknown
  const server = await serveApi(t, api, {
    usual: (received) => {
      seen = received
    },
  })
  const { status, text } = await post(server, path, sent)
  assert.ok(status < 300, text)
  return seen
}

test('a body becomes what its check took it for, though as a model it would fit another branch first', async (t) => {
  const seen = await receiving(t, '/either', { name: 'Eve', role: 'admin' })
  assert.ok(seen instanceof Model)
  assert.equal(seen.constructor.name, 'Person')
  assert.deepEqual({ ...seen }, { name: 'Eve' })
  const login = await receiving(t, '/either', { password: 'p', role: 'user' })
  assert.deepEqual({ ...Object(login) }, { password: 'p', role: 'user' })
})

test('where several branches fit, what any of them marks is left out', async (t) => {
  const seen = await receiving(t, '/some', { name: 'Eve', role: 'admin', tag: 'a', owner: 7 })
  assert.deepEqual({ ...Object(seen) }, { name: 'Eve', role: 'guest', tag: 'a' })
  const tagged = await receiving(t, '/some', { role: 'admin', tag: 'a' })
  assert.deepEqual({ ...Object(tagged) }, { role: 'admin', tag: 'a' })
  const list = [{ name: 'Eve', role: 'admin' }, { role: 'admin' }]
  assert.deepEqual(JSON.stringify(await receiving(t, '/list', list)), '[{"name":"Eve"},{"role":"admin"}]')
})
