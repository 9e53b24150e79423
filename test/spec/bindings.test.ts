import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { SetupError } from '../../src/core/errors.ts'
import { bindHandlers } from '../../src/spec/bindings.ts'
import { importBoundModules } from '../../src/spec/bound-modules.ts'
import { loadApis } from '../../src/spec/load.ts'
import { folder } from './support/specs.ts'

/** Binds operations, given as YAML lines of `GET /0`, `GET /1` …, to the modules of a service. */
async function bind(
  context: TestContext,
  operations: readonly string[],
  modules: Readonly<Record<string, string>>,
) {
  const root = await folder(context)
  const paths = operations.map(
    (lines, index) => `  /${index}:\n    get:\n      ${lines}\n      responses: {}\n`,
  )
  const spec = `swagger: '2.0'\npaths:\n${paths.join('')}`
  for (const [name, text] of Object.entries({ 'apis/shop.yaml': spec, ...modules })) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), text)
  }
  const apis = await loadApis(join(root, 'apis'), { basePath: 'apply' })
  const bindings = await bindHandlers(apis, root)
  return apis.flatMap((api) => api.operations.map((operation) => bindings.get(operation)))
}

/** The faults of binding, without the folder and the columns. */
async function faults(...given: Parameters<typeof bind>): Promise<string[]> {
  const error = await bind(...given).then(
    () => assert.fail('everything was bound'),
    (thrown: unknown) => thrown,
  )
  assert(error instanceof SetupError)
  assert.equal(error.code, 'BINDING_MISSING')
  const lines = error.message.split('\n').map((line) => line.replace(/^.*?macaron-spec-\w+\//, ''))
  return lines.map((line) => line.replace(/^(\S+:\d+):\d+: /, '$1: '))
}

test('a dotted name finds its function, as it is or in camel case, in files of any ending', async (context) => {
  const bound = await bind(
    context,
    [
      'x-bind-server: shop.accounts.do_signup',
      'x-bind-server: shop.accounts.doLogin',
      'operationId: other.list_all',
      'x-bind-server: shop.old.get',
    ],
    {
      'shop/accounts.ts':
        'export const doSignup = (): string => "signup"\nexport function doLogin() { return "login" }',
      'other.mjs': 'export function list_all() { return "all" }',
      'shop/old.js': 'export const get = () => "old"',
      'package.json': '{ "type": "module" }',
    },
  )
  assert.deepEqual(
    bound.map((binding) => binding?.handler()),
    ['signup', 'login', 'all', 'old'],
  )
})

test('a name without dots is found in handlers.ts or below handlers/', async (context) => {
  const bound = await bind(
    context,
    ['operationId: getPet', 'operationId: list-pets', 'operationId: dropPet'],
    {
      'handlers.ts': 'export const getPet = () => 1',
      'handlers/more/pets.ts': 'export const list_pets = () => 2\nexport const dropPet = () => 3',
      'handlers/pets.test.ts': 'throw new Error("a test is no handler")',
    },
  )
  assert.deepEqual(
    bound.map((binding) => binding?.handler()),
    [1, 2, 3],
  )
})

test('a function that two modules give on from a third is one; two of one name are not', async (context) => {
  const modules = {
    'handlers/a.ts': 'export const get = () => 1',
    'handlers/b.ts': "export { get } from './a.ts'",
  }
  assert.equal((await bind(context, ['operationId: get'], modules))[0]?.handler(), 1)
  assert.deepEqual(
    await faults(context, ['operationId: get'], {
      ...modules,
      'handlers/b.ts': 'export const get = () => 2',
    }),
    [
      'apis/shop.yaml:5: "get" could be bound to several functions: handlers/a.ts and handlers/b.ts export it. Say which with x-bind-server: handlers.<module>.get',
    ],
  )
})

test('decorators are found the same way, in the order of the spec', async (context) => {
  const [binding] = await bind(
    context,
    ['x-bind-server: shop.get\n      x-decorate-server: [shop.one, pymacaron.auth.requires_auth, shop.two]'],
    {
      'shop.ts':
        'export const get = () => ""\nexport const one = (h: any) => () => "1" + h()\nexport const two = (h: any) => () => "2" + h()',
    },
  )
  assert.equal(binding?.handler(), '12')
})

test('a decorator is called once, and one that gives no function is told with its line', async (context) => {
  const told = await faults(
    context,
    [
      'x-bind-server: shop.get\n      x-decorate-server: shop.later',
      'x-bind-server: shop.get\n      x-decorate-server: [shop.fine, shop.nothing]',
      'x-bind-server: shop.get\n      x-decorate-server: shop.broken',
      'x-bind-server: shop.get\n      x-decorate-server: shop.decorators.audit',
    ],
    {
      'shop.ts': [
        'export const get = () => ""',
        'let calls = 0',
        'export const fine = (h: any) => h',
        'export const later = async (h: any) => h',
        'export const nothing = () => { if (++calls > 1) throw new Error("twice") }',
        'export const broken = () => { throw new TypeError("no database") }',
      ].join('\n'),
      'shop/decorator.ts': 'export const audit = (h: any) => h',
    },
  )
  assert.deepEqual(told, [
    'apis/shop.yaml:6: The decorator "shop.later" must give a function (it is called with the handler, once, at start), but gave a promise',
    'apis/shop.yaml:11: The decorator "shop.nothing" must give a function (it is called with the handler, once, at start), but gave a value of type undefined',
    'apis/shop.yaml:16: The decorator "shop.broken" has thrown: no database',
    'apis/shop.yaml:21: "shop.decorators.audit" is bound to no function: there is no shop/decorators.ts. Did you mean "shop.decorator.audit"?',
  ])
})

test('everything that is missing is told at once, with its line and the nearest name', async (context) => {
  const modules = {
    'shop/accounts.ts': 'export const doSignupUser = () => 1\nexport const limit = 3',
    'handlers/a.ts': 'export const getPet = () => 1',
  }
  const operations = [
    'x-bind-server: shop.accounts.do_sinup_user',
    'x-bind-server: shop.acounts.do_signup_user',
    'x-bind-server: shop.accounts.limit',
    'operationId: getPets',
    'summary: no name at all',
    'x-bind-server: shop..x',
    'x-bind-server: shop.accounts.do_signup_user\n      x-decorate-server: shop.accounts.admin',
    'x-no-bind-server: true',
    'operationId: a.get_pet',
    'operationId: b.get_pet',
  ]
  assert.deepEqual(await faults(context, operations, modules), [
    'apis/shop.yaml:5: "shop.accounts.do_sinup_user" is bound to no function: shop/accounts.ts does not export do_sinup_user or doSinupUser. Did you mean "doSignupUser"?',
    'apis/shop.yaml:9: "shop.acounts.do_signup_user" is bound to no function: there is no shop/acounts.ts. Did you mean "shop.accounts.do_signup_user"?',
    'apis/shop.yaml:13: "shop.accounts.limit" is bound to no function: limit of shop/accounts.ts is not one, but of type number',
    'apis/shop.yaml:17: "getPets" is bound to no function: neither handlers.ts nor a module below handlers/ exports getPets or get_pets. Did you mean "getPet"?',
    'apis/shop.yaml:20: GET /4 names no function: give it x-bind-server or operationId, or x-no-bind-server: true',
    'apis/shop.yaml:25: "shop..x" is not the dotted name of a function, such as shop.accounts.do_signup',
    'apis/shop.yaml:30: "shop.accounts.admin" is bound to no function: shop/accounts.ts does not export admin. It exports doSignupUser.',
    'apis/shop.yaml:38: "a.get_pet" is bound to no function: there is no a.ts. Did you mean "handlers.a.get_pet"?',
    'apis/shop.yaml:42: "b.get_pet" is bound to no function: there is no b.ts. Make it, and export get_pet from it.',
  ])
})

test('without any module for names without dots, the fault says where to put one', async (context) => {
  const [fault] = await faults(context, ['operationId: getPet'], {})
  assert.match(
    fault ?? '',
    /there is neither handlers\.ts nor a module below handlers\/\. Export getPet or get_pet from one/,
  )
})

test('a module that cannot be imported is told once, with the place and the original message', async (context) => {
  const told = await faults(
    context,
    [
      'x-bind-server: a.x',
      'x-bind-server: a.y',
      'x-bind-server: b.x',
      'x-bind-server: c.x',
      'x-bind-server: d.x',
    ],
    {
      'a.ts': 'export const x = 1\nexport enum Kind { a }',
      'b.ts': "import { y } from './deep/broken.ts'\nexport const x = y",
      'deep/broken.ts': 'export const y = 1\n\nthrow new TypeError("the database is away")',
      'c.ts': "import { Nothing } from './deep/types.ts'\nexport const x = (n: Nothing) => n",
      'deep/types.ts': 'export interface Nothing {}',
      'd.ts': "import 'a-package-that-is-not-here'\nexport const x = 1",
    },
  )
  assert.equal(told.length, 4)
  assert.match(told[0] ?? '', /^a\.ts:2: This module can't be imported: SyntaxError: .*enum is not supported/)
  assert.match(
    told[1] ?? '',
    /^deep\/broken\.ts:3: This module can't be imported: TypeError: the database is away/,
  )
  assert.match(told[2] ?? '', /^c\.ts:1: .*named 'Nothing'\. A type must be imported with "import type"/)
  assert.match(told[3] ?? '', /^d\.ts: .*Cannot find package 'a-package-that-is-not-here'/)
})

test('an executor imports the modules of handlers and decorators: both may declare tasks', async (context) => {
  const root = await folder(context, {
    'shop.yaml': [
      "swagger: '2.0'",
      'paths:',
      '  /a: { get: { x-bind-server: bound.get, x-decorate-server: [around.one, pymacaron.auth.requires_auth] } }',
      '  /b: { get: { x-bind-server: bound.get, x-decorate-server: other.two } }',
    ].join('\n'),
    'bound.ts': 'process.emit("macaron-test-import" as never, "bound" as never)',
    'around.ts': 'process.emit("macaron-test-import" as never, "around" as never)',
    'other.ts': 'process.emit("macaron-test-import" as never, "other" as never)',
  })
  const imported: unknown[] = []
  const note = (name: unknown) => imported.push(name)
  process.on('macaron-test-import', note)
  context.after(() => process.off('macaron-test-import', note))
  await importBoundModules([join(root, 'shop.yaml')], root)
  assert.deepEqual(imported.toSorted(), ['around', 'bound', 'other'])
})
