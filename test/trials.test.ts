import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trialsOf } from '../src/trials.ts'
import { api3 } from './spec/support/specs.ts'

test('the call that a start offers sends what is required, but nothing that is readOnly', () => {
  const api = api3({
    schemas: `
Rank: { type: integer, readOnly: true }
Account:
  type: object
  required: [id, rank, name, title, city, password]
  example: { id: 3, city: Paris }
  properties: { id: { type: integer, readOnly: true }, rank: { $ref: '#/components/schemas/Rank' }, name: { type: string, example: Ada }, title: { type: string, examples: [Dr] }, city: { type: string }, password: { type: string, writeOnly: true }, more: { type: string } }`,
    paths: `
/accounts:
  post:
    requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Account' } } } }
    responses: { 200: { description: ok } }`,
  })
  const [call] = trialsOf([api])
  assert.equal(call?.body, '{"name":"Ada","title":"Dr","city":"Paris","password":"text"}')
})
