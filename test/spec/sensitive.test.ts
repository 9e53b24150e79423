import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sensitiveNames } from '../../src/spec/sensitive.ts'
import { api3 } from './support/specs.ts'

const zoo = (body: string, animal = '') =>
  api3({
    schemas: `
Animal: { type: object, ${animal} required: [kind], discriminator: { propertyName: kind }, properties: { kind: { type: string } } }
Dog: { allOf: [{ $ref: '#/components/schemas/Animal' }, { type: object, properties: { chip: { type: string, x-sensitive: true } } }] }
Puppy: { allOf: [{ $ref: '#/components/schemas/Dog' }, { type: object, properties: { mother: { type: string, format: password } } }] }
Cat: { allOf: [{ $ref: '#/components/schemas/Animal' }, { type: object, properties: { lives: { type: integer }, eats: { $ref: '#/components/schemas/Mouse' } } }] }
Mouse: { type: object, properties: { hole: { type: string, x-sensitive: true } } }`,
    paths: `
/a: { post: { requestBody: { content: { application/json: { schema: ${body} } } }, responses: { 200: { description: ok } } } }`,
  })

const cases = [
  ['a discriminator', `{ $ref: '#/components/schemas/Animal' }`, ['chip', 'mother', 'hole']],
  ['another name of one', `{ allOf: [{ $ref: '#/components/schemas/Animal' }] }`, ['chip', 'mother', 'hole']],
  [
    'a list of such',
    `{ type: array, items: { $ref: '#/components/schemas/Animal' } }`,
    ['chip', 'mother', 'hole'],
  ],
  ['one of its family', `{ $ref: '#/components/schemas/Cat' }`, ['hole']],
  [
    'a part of it',
    `{ allOf: [{ $ref: '#/components/schemas/Animal' }, { type: object, properties: { pin: { type: string, x-sensitive: true } } }] }`,
    ['pin'],
  ],
] as const

for (const [what, body, names] of cases) {
  test(`what is sensitive is found in a body with ${what}`, () => {
    const api = zoo(body)
    const [operation = assert.fail()] = api.operations
    assert.deepEqual(new Set(sensitiveNames(api, operation)), new Set(names))
  })
}

test('a family whose base is sensitive is so in every place, whichever is looked at first', () => {
  const pets = ['Animal', 'Cat', 'Puppy']
  for (const order of [pets, pets.toReversed()]) {
    const members = order.map((name) => `${name}Pet: { $ref: '#/components/schemas/${name}' }`)
    const api = zoo(`{ type: object, properties: { ${members.join(', ')} } }`, 'x-sensitive: true,')
    const [operation = assert.fail()] = api.operations
    const names = sensitiveNames(api, operation)
    for (const name of pets) assert.ok(names.includes(`${name}Pet`), names.join())
  }
})
