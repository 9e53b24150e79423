import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { generate } from '../../src/spec/emit.ts'
import { clientFile } from '../../src/spec/emit-client.ts'
import { generateIfStale, generation } from '../../src/spec/generate.ts'
import { insideFolder, typeFaults } from './support/generated.ts'
import { api3, folder } from './support/specs.ts'

const spec = `
openapi: 3.0.3
info: { title: Shop, version: '1' }
paths:
  /accounts/{id}:
    put:
      operationId: shop.accounts.replace_account
      summary: Replaces an account
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer } }
        - { name: dry-run, in: query, schema: { type: boolean, default: false } }
        - { name: since, in: query, schema: { type: string, format: date-time } }
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Account' } } } }
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Account' } } } }
        '204': { description: nothing }
        '404': { description: no, content: { application/json: { schema: { $ref: '#/components/schemas/Problem' } } } }
  /pictures:
    post:
      operationId: add_picture
      requestBody: { required: true, content: { multipart/form-data: { schema: { type: object, required: [title, picture], properties: {
        title: { type: string }, count: { type: integer, default: 1 }, picture: { type: string, format: binary }, more: { type: array, items: { type: string, format: binary } } } } }, image/*: {} } }
      responses: { '200': { description: ok, content: { image/png: {}, application/json: { schema: { $ref: '#/components/schemas/Problem' } } } } }
  /form:
    post:
      operationId: send_form
      requestBody: { content: { application/x-www-form-urlencoded: { schema: { $ref: '#/components/schemas/Place' } }, text/plain: {} } }
      responses: { '200': { description: ok, content: { text/plain: { schema: { type: string } } } } }
components:
  schemas:
    Account:
      description: Who buys
      type: object
      x-parent: shop.people.AccountParent
      required: [name, kind, id]
      properties:
        id: { type: integer, readOnly: true }
        name: { type: string, description: 'As it is on letters. */ Even this' }
        kind: { type: string, enum: [person, 'firm''s'], default: person }
        born: { type: string, format: date-time, nullable: true }
        tags: { type: array, items: { type: string } }
        scores: { type: object, additionalProperties: { type: number } }
        address: { $ref: '#/components/schemas/Address' }
        others: { type: array, items: { $ref: '#/components/schemas/Address' } }
        pet: { $ref: '#/components/schemas/Pet' }
        clone: { type: string, deprecated: true }
        odd-name: { type: string }
    Address: { allOf: [{ $ref: '#/components/schemas/Place' }, { type: object, properties: { street: { type: string } } }] }
    Place: { type: object, required: [city], properties: { city: { type: string } } }
    Pet: { oneOf: [{ $ref: '#/components/schemas/cat' }, { type: string }], nullable: true }
    cat: { type: object, properties: { lives: { type: integer }, mother: { $ref: '#/components/schemas/cat' } } }
    Date: { type: object, properties: { day: { type: string, format: date-time } } }
    Problem: { type: object, properties: { text: { type: string } } }
    Key: { type: object, required: [text], properties: { text: { type: string, writeOnly: true } } }
    Anything: {}
`

const parent = `
import type { Account } from '../apis/shop.gen.ts'
export class AccountParent {
  declare name: string
  get shout(): string { return this.name.toUpperCase() }
  isOlder(this: Account, other: Account): boolean { return Number(this.born) < Number(other.born) }
}
`

const user = `
import { apis, defineError, UploadedFile } from 'macaron'
import { Account, Address, Cat, Date2, type AccountInit, type Anything, type AddPicture, type Pet, type ReplaceAccount, type SendForm } from './apis/shop.gen.ts'

const account: Account = new Account({ id: 1, name: 'Ada', kind: 'person', born: '2026-11-23T10:00:00Z', address: { city: 'Rome' }, pet: { lives: 9 } })
const kind: 'person' | "firm's" = account.kind
const born: Date | null | undefined = account.born
const address: Address | undefined = account.address
const others: Address[] = account.others ?? [new Address({ city: 'Oslo', street: 'x' })]
const pet: Pet | undefined = account.pet
const score: number | undefined = account.scores?.math
const odd: string | undefined = account['odd-name']
const copy: Account = account.clone()
const back: Account = Account.from(JSON.parse('{}'))
const init: AccountInit = account
const none = new Cat()
const day: Date | undefined = new Date2({ day: new Date() }).day
const anything: Anything = 3
export const replaceAccount: ReplaceAccount = async (body, parameters) => {
  const dryRun: boolean = parameters['dry-run']
  const since: Date | undefined = parameters.since
  const id: number = parameters.id
  if (dryRun) return { id, name: body.name, kind: 'person', born: since ?? null }
  return id > 3 ? { ...body.clone(), id } : undefined
}
const shout: string = account.shout
const older: boolean = account.isOlder(account)
const made: Account = new apis.shop.Account({ id: 2, name: 'x', kind: 'person' })
// @ts-expect-error an API that does not exist
void apis.shpo
// @ts-expect-error a model that does not exist
void apis.shop.Acount
// @ts-expect-error a method that needs an Account
new Address({ city: 'x' }).isOlder
export const addPicture: AddPicture = async (body) => {
  if (body instanceof UploadedFile) return body.stream()
  const title: string = body.title
  const count: number = body.count
  const bytes: Buffer = await body.picture.buffer()
  const names: (string | undefined)[] = (body.more ?? []).map(({ name }) => name)
  if (count > names.length) return { text: title }
  return bytes.length > 0 ? bytes : new NoFunds()
}
const NoFunds = defineError('NO_FUNDS', 402, 'No')
export const sendForm: SendForm = (body) => (typeof body === 'string' ? body : (body?.city ?? ''))
// @ts-expect-error an object where the spec declares a text
export const wrongText: SendForm = () => ({ a: 1 })
// @ts-expect-error a required property is missing
new Account({ id: 1, kind: 'person' })
// @ts-expect-error a value that the enum doesn't have
new Account({ id: 1, name: 'x', kind: 'other' })
// @ts-expect-error a property that the schema doesn't have
new Account({ id: 1, name: 'x', kind: 'person', mane: 'y' })
// @ts-expect-error a reply of another form
export const wrong: ReplaceAccount = () => ({ text: 'no' })
void [shout, older, made, account, kind, born, address, others, pet, score, odd, copy, back, init, none, day, anything]
`

/** A service in a folder of its own, with its generated file. */
async function shop(context: TestContext): Promise<{ path: string; file: string }> {
  const path = await insideFolder(context)
  for (const folder of ['apis', 'shop']) await mkdir(join(path, folder))
  await writeFile(join(path, 'apis/shop.yaml'), spec)
  await writeFile(join(path, 'shop/people.ts'), parent)
  const { file } = await generateIfStale(join(path, 'apis/shop.yaml'))
  return { path, file }
}

test('the generated types fit how handlers use them, and refuse what the spec refuses', async (context) => {
  const { path } = await shop(context)
  await writeFile(join(path, 'user.ts'), user)
  assert.equal(await typeFaults(path), '')
})

test('a generated file runs as it is, and its models check, revive and travel', async (context) => {
  const { file } = await shop(context)
  const script = `
    import { Account, Address } from ${JSON.stringify(pathToFileURL(file).href)}
    const account = Account.from({ name: 'Ada', born: '2026-11-23T10:00:00Z', address: { city: 'Rome' }, clone: 'own' })
    console.log(account.shout, account.isOlder(account), account.toString === Object.prototype.toString)
    console.log(account.address instanceof Address, account.born instanceof Date, account.kind, JSON.stringify(account))
    try { new Account({ name: 3 }) } catch (error) { console.log(error.code) }`
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=macaron-source',
    '--input-type=module',
    '-e',
    script,
  ])
  assert.deepEqual(stdout.split('\n'), [
    'ADA false true',
    'true true person {"name":"Ada","born":"2026-11-23T10:00:00.000Z","address":{"city":"Rome"},"clone":"own","kind":"person"}',
    'MODEL_INVALID',
    '',
  ])
})

test('paths are told as the spec has them, for the service may ignore its base path', async (context) => {
  const text = spec.replace('paths:', 'servers: [{ url: /v1 }]\npaths:')
  const path = await folder(context, { 'shop.yaml': text })
  const { file } = await generateIfStale(join(path, 'shop.yaml'))
  assert.match(await readFile(file, 'utf8'), /\* PUT \/accounts\/\{id\}\n/)
})

test('the same spec gives the same text', () => {
  const schemas =
    'b: { type: object, properties: { x: { type: string } } }\nB: { type: string }\nB_: { type: integer }'
  assert.equal(generate(api3({ schemas })), generate(api3({ schemas })))
})

test('a generated file says by a number which form it has, so that one of an older form is written anew', async (context) => {
  const path = await folder(context, { 'shop.yaml': spec })
  const yaml = join(path, 'shop.yaml')
  const client = clientFile({ name: 'shop', file: join(path, 'client.ts'), isOwn: false, basePath: 'ignore' })
  const { file } = await generateIfStale(yaml)
  await generateIfStale(yaml, client)
  const texts = [await readFile(file, 'utf8'), await readFile(client.file, 'utf8')]
  const [first = ''] = texts
  assert.match(first, new RegExp(`^// Made by Macaron .*\\[${generation}:`))
  await writeFile(file, first.replace(`[${generation}:`, `[${generation - 1}:`))
  assert.equal((await generateIfStale(yaml)).replaced, true)
  const form = createHash('sha256')
    .update(texts.join('\n').replaceAll(`[${generation}:`, '[:'))
    .digest('hex')
  assert.deepEqual(
    { generation, form: form.slice(0, 16) },
    { generation: 7, form: '9961cae9454a2680' },
    'What is generated has changed: raise the generation in generate.ts, then put both values here. Files of users would stay as they are',
  )
})

test('names that would be one in TypeScript are told apart, in the order of the spec', () => {
  const schemas = `
pet: { type: string }
Pet: { type: integer }
p-et: { type: boolean }
Result: { type: string }
PetInit: { type: number }
1x: {}
'%': {}`
  const text = generate(api3({ schemas }))
  assert.deepEqual(
    [...text.matchAll(/^export type (\w+) = (\w+)/gm)].map(([, name, type]) => `${name} ${type}`),
    [
      'Pet string',
      'Pet2 number',
      'PEt boolean',
      'Result2 string',
      'PetInit number',
      'X unknown',
      'Type unknown',
    ],
  )
})

test('a file is written when it is missing or the text of its spec has changed, and only then', async (context) => {
  const path = await folder(context, { 'shop.yaml': spec })
  const file = join(path, 'shop.yaml')
  const first = { file: join(path, 'shop.gen.ts'), written: true, replaced: false }
  assert.deepEqual(await generateIfStale(file), first)
  assert.equal((await generateIfStale(file)).written, false)
  await utimes(file, new Date(), new Date(Date.now() + 60_000))
  assert.equal((await generateIfStale(file)).written, false)
  await writeFile(file, spec.replace('Who buys', 'Who sells'))
  assert.deepEqual(await generateIfStale(file), { ...first, replaced: true })
  assert.match(
    await readFile(join(path, 'shop.gen.ts'), 'utf8'),
    /^\/\/ Made by Macaron from shop\.yaml.*\n[\s\S]*Who sells/,
  )
  assert.deepEqual((await readdir(path)).sort(), ['shop.gen.ts', 'shop.yaml'])
})

test('a broken spec leaves the generated file as it was', async (context) => {
  const path = await folder(context, { 'shop.yaml': spec })
  await generateIfStale(join(path, 'shop.yaml'))
  const before = await readFile(join(path, 'shop.gen.ts'), 'utf8')
  await writeFile(join(path, 'shop.yaml'), 'openapi: 3.0.0\npaths: [')
  await assert.rejects(generateIfStale(join(path, 'shop.yaml')), { code: 'SPEC_INVALID' })
  assert.equal(await readFile(join(path, 'shop.gen.ts'), 'utf8'), before)
})

test('where the generated file cannot be written, the error says what to do', async (context) => {
  const path = await folder(context, { 'shop.yaml': spec })
  await mkdir(join(path, 'shop.gen.ts', 'in-the-way'), { recursive: true })
  await assert.rejects(generateIfStale(join(path, 'shop.yaml')), {
    code: 'GENERATE_FAILED',
    message: /run macaron generate/,
  })
  assert.deepEqual((await readdir(path)).sort(), ['shop.gen.ts', 'shop.yaml'])
})

test('ten processes that find a stale file at once leave one whole file', async (context) => {
  const path = await folder(context, { 'shop.yaml': spec })
  await Promise.all(Array.from({ length: 10 }, () => generateIfStale(join(path, 'shop.yaml'))))
  assert.equal((await generateIfStale(join(path, 'shop.yaml'))).written, false)
  assert.deepEqual((await readdir(path)).sort(), ['shop.gen.ts', 'shop.yaml'])
})
