import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { clientFile } from '../../src/spec/emit-client.ts'
import { generateIfStale } from '../../src/spec/generate.ts'
import { insideFolder, typeFaults } from './support/generated.ts'

/** Handlers' replies, typed by status, and what is readOnly and writeOnly, typed by direction. A line marked @ts-expect-error that has no error is one. */

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
import { Account, Missing, type Any, type Class, type GetAccount, type PutAccount, type Silent } from '../apis/shop.gen.ts'

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

const people = `
openapi: 3.1.0
info: { title: People, version: '1' }
paths:
  /people:
    post:
      operationId: add
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Person' } } } }
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Person' } } } }
        '409': { description: no, content: { application/json: { schema: { $ref: '#/components/schemas/Team' } } } }
    put:
      operationId: addItem
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Items' } } } }
      responses: { '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Item' } } } } }
components:
  schemas:
    Person:
      type: object
      required: [id, name, password]
      properties:
        id: { type: integer, readOnly: true, description: Its number }
        name: { type: string }
        password: { type: string, writeOnly: true }
        invitation: { type: string, writeOnly: true }
        born: { type: string, format: date-time }
        seen: { type: string, format: date-time, readOnly: true }
        rank: { $ref: '#/components/schemas/Rank' }
        pin: { allOf: [{ $ref: '#/components/schemas/Pin' }], nullable: true }
    Rank: { type: integer, readOnly: true }
    Pin: { type: string, writeOnly: true }
    Team: { type: object, required: [people], properties: { people: { $ref: '#/components/schemas/People' } } }
    People: { type: array, items: { $ref: '#/components/schemas/Person' } }
    Item: { x-parent: shop.items.ItemParent, type: object, required: [id, label], properties: { id: { type: integer, readOnly: true }, label: { type: string } } }
    Items: { type: array, items: { $ref: '#/components/schemas/Item' } }
    Other: { type: object, required: [a], properties: { a: { type: string } } }
`

const items = `
import type { ItemRequest } from '../apis/people.gen.ts'
export class ItemParent {
  loud(this: ItemRequest): string { return this.label.toUpperCase() }
}
`

const peopleHandlers = `
import { client, reply } from 'macaron'
import { Item, Person, type Add, type AddItem, type ItemRequest, type PersonRequest } from '../apis/people.gen.ts'

export const a: Add = async (person) => {
  const [name, password, born]: [string, string, Date | undefined] = [person.name, person.password, person.born]
  const copy: PersonRequest = person.clone()
  const { password: _, invitation, pin, ...shown } = person
  // @ts-expect-error only replies have it
  person.id
  // @ts-expect-error the same, optional
  person.seen
  // @ts-expect-error the same, by what it refers to
  person.rank
  if (copy.name !== name) return { id: 1, name, born: '2026-11-26T00:00:00Z', seen: new Date() }
  if (password === invitation || password === pin) return reply(409, { people: [{ id: 2, name: 'x' }] })
  return reply(200, { ...shown, id: 3, born })
}
export const b: AddItem = ([first = new Item({ id: 0, label: 'x' }), ...others]) => {
  const rest: ItemRequest[] = others
  return rest.length > 3 ? new Item({ id: 1, label: first.loud() }) : { id: 1, label: first.label }
}
const person = new Person({ id: 1, name: 'x', password: 'y' })
const id: number = person.id
const password: string | undefined = person.password
void client('people').add({ name: 'x', password: 'y', born: '1815-12-10T00:00:00Z' }).then((added) => added.id.toFixed())
void [id, password, person.rank, new Person({ id: 1, name: 'x' })]
// @ts-expect-error what is readOnly and required is missing in a reply
export const A: Add = () => ({ name: 'x' })
// @ts-expect-error a secret in a reply
export const B: Add = async () => ({ id: 1, name: 'x', password: 'y' })
// @ts-expect-error the same, by what it refers to
export const F: Add = async () => ({ id: 1, name: 'x', rank: 3, pin: '1234' })
// @ts-expect-error the same in a model
export const C: Add = () => reply(200, person)
// @ts-expect-error a request as it came in
export const D: Add = (body) => ({ ...body, id: 1 })
// @ts-expect-error the same further down
export const E: Add = () => reply(409, { people: [{ id: 2, name: 'x', invitation: 'y' }] })
// @ts-expect-error what is writeOnly and required is missing in a request
void client('people').add({ name: 'x' })
// @ts-expect-error what is readOnly in a request
void client('people').add({ id: 3, name: 'x', password: 'y' })
// @ts-expect-error a request's data, without what is readOnly
new Item({ label: 'x' })
`

test('replies are typed by status, requests and replies by direction, as the operation declares them', async (context) => {
  const path = await insideFolder(context)
  for (const folder of ['apis', 'clients', 'shop']) await mkdir(join(path, folder))
  const files = {
    'apis/shop.yaml': spec,
    'apis/people.yaml': people,
    'shop/handlers.ts': handlers,
    'shop/people.ts': peopleHandlers,
    'shop/items.ts': items,
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text)
  await generateIfStale(join(path, 'apis/shop.yaml'))
  await generateIfStale(join(path, 'apis/people.yaml'))
  const client = {
    name: 'people',
    file: join(path, 'clients/people.gen.ts'),
    isOwn: true,
    basePath: 'apply',
  } as const
  await generateIfStale(join(path, 'apis/people.yaml'), clientFile(client))
  assert.equal(await typeFaults(path), '')
  assert.doesNotMatch(await readFile(join(path, 'apis/people.gen.ts'), 'utf8'), /ItemReply|OtherRe/)
})

test('the client of another service takes and gives the same directions', async (context) => {
  const path = await insideFolder(context)
  await writeFile(join(path, 'people.yaml'), people)
  const file = join(path, 'people.gen.ts')
  const output = clientFile({ name: 'people', file, isOwn: false, basePath: 'apply' })
  await generateIfStale(join(path, 'people.yaml'), output)
  const text = await readFile(file, 'utf8')
  assert.match(
    text,
    /add: ClientCall<\[body: PersonRequestInit\], Person, PersonReply, \[body: PersonRequest\]>/,
  )
  assert.match(
    text,
    /export interface PersonRequestInit \{\n {2}readonly name: string\n {2}readonly password: string\n/,
  )
})
