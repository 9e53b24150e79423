import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { generateIfStale } from '../../src/spec/generate.ts'
import { loadApi } from '../../src/spec/load.ts'
import { models } from '../../src/spec/model-registry.ts'
import { Model } from '../../src/spec/models.ts'
import { importParents } from '../../src/spec/parents.ts'
import { decode, encode } from '../../src/tasks/codec.ts'

/** Classes that give models their methods, in services of their own below this package, where `import 'macaron'` finds it. */

interface Service {
  readonly folder: string
  /** No other API of this process is called so. */
  readonly name: string
  readonly specFile: string
  /** What a module of the service exports. */
  load(module: string): Promise<Readonly<Record<string, unknown>>>
}

const spec = (parent: string) => `openapi: 3.0.3
info: { title: test, version: '1' }
paths: {}
components:
  schemas:
    Account:
      type: object
      required: [first]
      x-parent: ${parent}
      properties:
        first: { type: string }
        last: { type: string }
        friends: { type: array, items: { $ref: '#/components/schemas/Account' } }
`

async function service(
  context: TestContext,
  parent: string,
  files: Readonly<Record<string, string>> = {},
): Promise<Service> {
  const home = resolve(import.meta.dirname, '../../.macaron')
  await mkdir(home, { recursive: true })
  const folder = await mkdtemp(join(home, 'parents-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  const name = `api_${randomUUID().replaceAll('-', '')}`
  for (const [path, text] of Object.entries({ [`apis/${name}.yaml`]: spec(parent), ...files })) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text.replaceAll('GENERATED', `../apis/${name}.gen.ts`))
  }
  const specFile = join(folder, 'apis', `${name}.yaml`)
  await generateIfStale(specFile)
  const load = (module: string) => import(pathToFileURL(join(folder, module)).href)
  return { folder, name, specFile, load }
}

const knowing = `
import { Account } from 'GENERATED'
export class AccountParent {
  constructor() { throw new Error('never') }
  get fullName() { return this.first + ' ' + (this.last ?? '?') }
  marry(other) { return new Account({ ...this, last: other.last }) }
  isAccount() { return this instanceof Account }
}`

const apart = `
class Base { hello() { return 'Hello ' + this.first } }
export class AccountParent extends Base {
  constructor() { super(); throw new Error('never') }
  get fullName() { return this.first + ' ' + (this.last ?? '?') }
  hello() { return super.hello() + '!' }
}`

for (const [kind, text] of Object.entries({ knowing, apart })) {
  for (const order of ['generated file first', 'parent first', 'parent never imported by anyone else']) {
    test(`a model has the methods of its parent: ${kind === 'knowing' ? 'it imports the generated file' : 'it does not'}, ${order}`, async (context) => {
      const { name, load } = await service(context, 'shop.people.AccountParent', { 'shop/people.ts': text })
      const generated = `apis/${name}.gen.ts`
      const modules = {
        'generated file first': [generated, 'shop/people.ts'],
        'parent first': ['shop/people.ts', generated],
      }[order]
      for (const module of modules ?? [generated]) await load(module)
      const { Account } = await load(generated)
      const { AccountParent } = await load('shop/people.ts')
      assert(typeof Account === 'function' && typeof AccountParent === 'function')
      const ada = Reflect.construct(Account, [
        { first: 'Ada', friends: [{ first: 'Charles', last: 'Babbage' }] },
      ])
      assert.equal(ada.fullName, 'Ada ?')
      assert.equal(ada.friends[0].fullName, 'Charles Babbage')
      if (kind === 'knowing') {
        assert.equal(ada.marry({ last: 'King' }).fullName, 'Ada King')
        assert.equal(ada.isAccount(), true)
      } else assert.equal(ada.hello(), 'Hello Ada!')
      for (const one of [Account, AccountParent, Model, Object]) assert(ada instanceof one)
      assert.deepEqual(Object.keys(ada), ['first', 'friends'])
      assert.deepEqual(ada.clone(), ada)
      assert.equal(ada.clone().fullName, 'Ada ?')
      assert.equal(JSON.stringify(ada), '{"first":"Ada","friends":[{"first":"Charles","last":"Babbage"}]}')
      const travelled = decode(encode([ada], { models, what: 'argument', maxBytes: 1000 }), models)
      assert.deepEqual(travelled, [ada])
      assert(Array.isArray(travelled) && travelled[0].friends[0].fullName === 'Charles Babbage')
    })
  }
}

test('a model that nobody has imported arrives with the methods of its parent', async (context) => {
  const { name, specFile } = await service(context, 'shop.people.AccountParent', {
    'shop/people.ts': knowing,
  })
  models.define(specFile, {})
  const revived = models.revive(name, 'Account', { first: 'Ada', last: 'King' })
  assert.equal(Reflect.get(revived, 'fullName'), 'Ada King')
})

test('a module that awaits at its top level can hold a parent, once the service has imported it', async (context) => {
  const { specFile, folder, name, load } = await service(context, 'shop.people.AccountParent', {
    'shop/people.ts': `await 0\n${apart}`,
  })
  const { Account } = await load(`apis/${name}.gen.ts`)
  assert(typeof Account === 'function')
  assert.throws(() => Reflect.construct(Account, [{ first: 'Ada' }]), {
    code: 'PARENT_UNFIT',
    message: /awaits something at its top level/,
  })
  await importParents([await loadApi(specFile, { basePath: 'apply' })], folder)
  assert.equal(Reflect.construct(Account, [{ first: 'Ada' }]).fullName, 'Ada ?')
})

test('a model made while the module of its parent is loading is told to wait', async (context) => {
  const { load } = await service(context, 'shop.people.AccountParent', {
    'shop/people.ts': `${knowing}\nexport const nobody = new Account({ first: 'Nobody' })`,
  })
  await assert.rejects(load('shop/people.ts'), {
    code: 'PARENT_UNFIT',
    message: /still being loaded. Make that model in a function/,
  })
})

const refused: Readonly<Record<string, readonly [string, RegExp]>> = {
  'a field': ['export class AccountParent { count = 0 }', /has the field count, .* Write "declare count"/],
  'a private name': [
    'export class AccountParent { #count = 0; get count() { return this.#count } }',
    /has the private name #count/,
  ],
  'a private method': ['export class AccountParent { #count() {} }', /has the private name #count/],
  'a field of what it extends': [
    'class Base { count = 0 }\nexport class AccountParent extends Base {}',
    /has the field count/,
  ],
  'a built-in class above it': [
    'export class AccountParent extends Map {}',
    /extends Map, whose constructor would have to run/,
  ],
  'the model itself above it': [
    "import { Account } from 'GENERATED'\nexport class AccountParent extends Account {}",
    /extends a model: write its methods with a "this" parameter/,
  ],
  'a toJSON of its own': ['export class AccountParent { toJSON() { return {} } }', /has a toJSON of its own/],
  'a member of the name of a property': [
    'export class AccountParent { get last() { return "x" } }',
    /has a member last, which is a property of the model/,
  ],
  'another name': [
    'export class AcountParent {}',
    /shop\/people\.ts does not export AccountParent\. Did you mean "AcountParent"\?/,
  ],
  'something else': ['export const AccountParent = 3', /"shop\.people\.AccountParent" is no class/],
  'a fault in its module': [
    'throw new Error("no")',
    /people\.ts:1.*This module can't be imported: Error: no/,
  ],
}

for (const [what, [text, message]] of Object.entries(refused)) {
  test(`a parent with ${what} is refused at start, with its place in the spec`, async (context) => {
    const { specFile, folder } = await service(context, 'shop.people.AccountParent', {
      'shop/people.ts': text,
    })
    const api = await loadApi(specFile, { basePath: 'apply' })
    await assert.rejects(importParents([api], folder), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'PARENT_UNFIT')
      assert.match(error.message, message)
      if (what !== 'a fault in its module') assert.match(error.message, /\.yaml:9:7: /)
      return true
    })
  })
}

test('a parent whose module is missing is told with the nearest one', async (context) => {
  const { specFile, folder } = await service(context, 'shop.people.AccountParent', {
    'shop/peopel.ts': apart,
  })
  await assert.rejects(
    importParents([await loadApi(specFile, { basePath: 'apply' })], folder),
    /there is no shop\/people\.ts\. Did you mean "shop\.peopel\.AccountParent"\?/,
  )
})

test('a parent whose module is below handlers is told with where it is', async (context) => {
  const { specFile, folder } = await service(context, 'people.AccountParent', {
    'handlers/people.ts': apart,
  })
  await assert.rejects(
    importParents([await loadApi(specFile, { basePath: 'apply' })], folder),
    /there is no people\.ts\. Did you mean "handlers\.people\.AccountParent"\?/,
  )
})

test('what a stranger sends under the name of a method does not take its place', async (context) => {
  const { name, load } = await service(context, 'shop.people.AccountParent', { 'shop/people.ts': apart })
  const { Account } = await load(`apis/${name}.gen.ts`)
  assert(typeof Account === 'function')
  const account = Reflect.construct(Account, [
    {
      first: 'Eve',
      fullName: 'Admin',
      hello: 1,
      clone: 1,
      toJSON: 2,
      other: 3,
      friends: [{ first: 'Mallory', hello: 1 }],
    },
  ])
  assert.deepEqual({ ...account, friends: [] }, { first: 'Eve', other: 3, friends: [] })
  assert.equal(account.fullName, 'Eve ?')
  assert.equal(account.friends[0].hello(), 'Hello Mallory!')
})
