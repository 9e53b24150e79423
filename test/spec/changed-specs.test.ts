import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { generateIfStale } from '../../src/spec/generate.ts'
import { insideFolder, typeFaults } from './support/generated.ts'

/** When a spec changes, handlers that no longer fit are type errors: two versions of an API, and handlers for each, held against both. */

const before = `
openapi: 3.1.0
info: { title: Shop, version: '1' }
paths:
  /accounts/{id}:
    put:
      operationId: shop.put_account
      parameters:
        - { name: id, in: path, required: true, schema: { type: string } }
        - { name: loud, in: query, schema: { type: boolean, default: false } }
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Account' } } } }
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Account' } } } }
components:
  schemas:
    Account:
      type: object
      required: [name, kind]
      properties:
        name: { type: string }
        kind: { enum: [person, firm] }
        since: { type: string, format: date-time }
`

const after = before
  .replace(
    '{ name: id, in: path, required: true, schema: { type: string } }',
    '{ name: id, in: path, required: true, schema: { type: integer } }',
  )
  .replace('name: loud', 'name: quiet')
  .replace('required: [name, kind]', 'required: [name, kind, level]')
  .replace(
    '        name: { type: string }\n',
    '        name: { type: [string, "null"] }\n        level: { type: integer }\n',
  )
  .replace('[person, firm]', '[person]')
  .replace('        since: { type: string, format: date-time }\n', '')

const handlers = {
  before: `
export const putAccount: PutAccount = (account, { id, loud }) => {
  const name: string = account.name
  const since: Date | undefined = account.since
  if (loud) return account
  return { name: name + id.trim() + since, kind: 'firm' }
}
new Account({ name: 'x', kind: 'person' })
`,
  after: `
export const putAccount: PutAccount = (account, { id, quiet }) => {
  const name: string | null = account.name
  if (quiet) return account
  const kind: 'person' = account.kind
  return { name: name + id.toFixed() + kind, kind, level: account.level }
}
new Account({ name: null, kind: 'person', level: 1 })
`,
}

test('handlers that no longer fit a changed spec, or do not fit it yet, are type errors, each where it is', async (context) => {
  const path = await insideFolder(context)
  for (const [version, spec] of Object.entries({ before, after })) {
    await writeFile(join(path, `shop_${version}.yaml`), spec)
    await generateIfStale(join(path, `shop_${version}.yaml`))
    for (const [written, text] of Object.entries(handlers)) {
      const imports = `import { Account, type PutAccount } from './shop_${version}.gen.ts'`
      await writeFile(join(path, `${written}_on_${version}.ts`), imports + text)
    }
  }
  const told = (await typeFaults(path))
    .split('\n')
    .map((line) => /(\w+)\.ts\((\d+),.*error (TS\d+)/.exec(line))
  const places = told.flatMap((match) => (match === null ? [] : [`${match[1]}:${match[2]}`]))
  assert.deepEqual([...new Set(places)].sort(), [
    'after_on_before:2',
    'after_on_before:5',
    'after_on_before:6',
    'after_on_before:8',
    'before_on_after:2',
    'before_on_after:3',
    'before_on_after:4',
    'before_on_after:6',
    'before_on_after:8',
  ])
})
