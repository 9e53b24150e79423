import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { generateIfStale } from '../../src/spec/generate.ts'
import { insideFolder, typeFaults } from './support/generated.ts'

/** Handlers' replies, typed by status. A line marked @ts-expect-error that has no error is one. */

const spec = `
openapi: 3.1.0
info: { title: Shop, version: '1' }
paths:
  /accounts:
    put:
      operationId: put_account
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Account' } } } }
        '201': { description: made, content: { application/json: { schema: { type: array, items: { $ref: '#/components/schemas/Account' } } } } }
        '204': { description: nothing }
        '404': { description: no, content: { application/json: { schema: { $ref: '#/components/schemas/Missing' } } } }
        4XX: { description: no, content: { application/json: { schema: { $ref: '#/components/schemas/Problem' } } } }
        default: { description: no, content: { application/json: { schema: { type: object, required: [trouble], properties: { trouble: { type: string } } } } } }
    get:
      operationId: get_account
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Account' } } } }
        '406': { description: no, content: { text/csv: {} } }
  /any:
    get: { operationId: any, responses: { default: { description: any, content: { application/json: { schema: { $ref: '#/components/schemas/Account' } } } } } }
  /class:
    get: { operationId: class, responses: { 2XX: { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Account' } } } } } }
  /silent:
    get: { operationId: silent, responses: {} }
components:
  schemas:
    Account: { type: object, required: [name, kind], properties: { name: { type: string }, kind: { enum: [person, firm] }, born: { type: string, format: date-time } } }
    Missing: { type: object, required: [what], properties: { what: { enum: [account, shop] } } }
    Problem: { type: object, required: [error], properties: { error: { type: string } } }
`

const handlers = `
import { defineError, reply } from 'macaron'
import { Account, Missing, type Any, type Class, type GetAccount, type PutAccount, type Silent } from './shop.gen.ts'

const NoFunds = defineError('NO_FUNDS', 402, 'No')
declare const chance: number
export const a: PutAccount = () => reply(200, { name: 'x', kind: 'firm' })
export const b: PutAccount = async () => {
  switch (chance) {
    case 1: return reply(200, new Account({ name: 'x', kind: 'firm' }), { 'x-own': '1' })
    case 2: return reply(201, [{ name: 'x', kind: 'firm', born: new Date() }])
    case 3: return reply(204)
    case 4: return reply(404, { what: 'account' })
    case 5: return reply(404, new Missing({ what: 'shop' }))
    case 6: return reply(409, { error: 'taken' })
    case 7: return reply(503, { trouble: 'tired' }, { 'retry-after': '1' })
    case 8: return reply(chance > 3 ? 410 : 409, { error: 'taken' })
    case 9: return new NoFunds()
    case 10: return new Error('x')
    case 11: return [{ name: 'x', kind: 'firm' }]
    case 12: return { name: 'x', kind: 'person' }
    case 13: throw new NoFunds()
    default: return undefined
  }
}
const apart = reply(409, { error: 'x' })
export const c: PutAccount = () => apart
export const d: GetAccount = () => reply(406, 'a,b')
export const e: GetAccount = () => reply(303, undefined, { location: '/b' })
export const f: GetAccount = async () => reply(418, { short: 'and stout' })
export const g: Any = () => reply(202, { name: 'x', kind: 'firm' })
export const h: Any = () => ({ name: 'x', kind: 'firm' })
export const i: Class = () => reply(203, { name: 'x', kind: 'firm' })
export const j: Class = async () => ({ name: 'x', kind: 'firm' })
export const k: Silent = () => reply(202, { queued: true })
// @ts-expect-error a value that the enum doesn't have
export const A: PutAccount = () => reply(200, { name: 'x', kind: 'other' })
// @ts-expect-error the body of another status
export const B: PutAccount = async () => reply(404, { error: 'x' })
// @ts-expect-error a status of its own has no part in its class
export const C: PutAccount = () => reply(409, { what: 'account' })
// @ts-expect-error no body where one is declared
export const D: PutAccount = () => reply(404)
// @ts-expect-error a body where none is declared
export const E: PutAccount = () => reply(204, { name: 'x', kind: 'firm' })
// @ts-expect-error the default's body
export const F: PutAccount = async () => reply(503, { error: 'x' })
// @ts-expect-error an error's body as a success
export const G: PutAccount = () => ({ what: 'account' })
// @ts-expect-error made apart, for another status
export const H: PutAccount = () => reply(410, [])
// @ts-expect-error a success that is not declared
export const I: GetAccount = () => reply(201, { name: 'x', kind: 'firm' })
// @ts-expect-error JSON where text is declared
export const J: GetAccount = () => reply(406, { a: 1 })
// @ts-expect-error a success of another form
export const K: Any = () => reply(200, { error: 'x' })
// @ts-expect-error a success of another form, of a class
export const L: Class = () => reply(203, { error: 'x' })
// @ts-expect-error a status that is none
export const M: PutAccount = () => reply(42, { trouble: 'x' })
`

test('replies are typed by status, as the operation declares them', async (context) => {
  const path = await insideFolder(context)
  await writeFile(join(path, 'shop.yaml'), spec)
  await generateIfStale(join(path, 'shop.yaml'))
  await writeFile(join(path, 'handlers.ts'), handlers)
  assert.equal(await typeFaults(path), '')
})
