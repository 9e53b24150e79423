import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { SetupError } from '../../src/core/errors.ts'
import { loadApi, loadApis } from '../../src/spec/load.ts'
import { folder } from './support/specs.ts'

const apply = { basePath: 'apply' } as const

/** The faults of a spec as `line: message`. */
async function faultsOf(context: TestContext, text: string, name = 'shop.yaml'): Promise<string[]> {
  const file = join(await folder(context, { [name]: text }), name)
  const error = await loadApi(file, apply).then(
    () => assert.fail('the spec was accepted'),
    (thrown: unknown) => thrown,
  )
  assert(error instanceof SetupError)
  assert.equal(error.code, 'SPEC_INVALID')
  assert(error.faults.every((fault) => fault.file === file))
  return error.faults.map(({ line, message }) => `${line}: ${message}`)
}

const head = "swagger: '2.0'\ninfo: { title: Shop, version: '1' }\n"

test('broken YAML is told with its line', async (context) => {
  assert.deepEqual(await faultsOf(context, `${head}paths:\n  /a: [1\n  /b: {}\n`), [
    '5: This is not YAML: deficient indentation',
  ])
})

test('a key that stands twice is told with the line of the second', async (context) => {
  assert.deepEqual(await faultsOf(context, `${head}paths:\n  /a: {}\n  /a: {}\n`), [
    '5: This is not YAML: duplicated mapping key',
  ])
})

test('broken JSON is told with its line', async (context) => {
  const [fault = ''] = await faultsOf(context, '{\n  "swagger": "2.0",\n  "paths": {,}\n}', 'shop.json')
  assert.match(fault, /^3: This is not JSON: Expected/)
})

test('text that is no OpenAPI document says what it should begin with', async (context) => {
  const [fault = ''] = await faultsOf(context, 'name: shop\n')
  assert.match(fault, /neither "swagger: '2.0'" nor "openapi: 3.0.3"/)
  assert.match((await faultsOf(context, 'hello\n'))[0] ?? '', /"hello" where an object must be/)
})

test('an unknown version is told with the versions that are known', async (context) => {
  assert.deepEqual(await faultsOf(context, 'info: {}\nopenapi: 4.0.0\npaths: {}\n'), [
    '2: OpenAPI version 4.0.0 is not known: Swagger 2.0, OpenAPI 3.0 and 3.1 are',
  ])
  assert.deepEqual(await faultsOf(context, 'openapi: 3.2.0\npaths: {}\n'), [
    '1: OpenAPI version 3.2.0 is not known: Swagger 2.0, OpenAPI 3.0 and 3.1 are',
  ])
})

test('a version that YAML reads as a number is known', async (context) => {
  const path = await folder(context, { 'shop.yaml': 'swagger: 2.0\npaths: {}\n' })
  assert.deepEqual((await loadApi(join(path, 'shop.yaml'), apply)).operations, [])
})

test('a body among the parameters of OpenAPI 3, or a parameter of no place, is told with what to write', async (context) => {
  const text = `openapi: 3.0.3
info: { title: Shop, version: '1' }
paths:
  /a:
    post:
      parameters:
        - { name: one, in: body, schema: {} }
        - { name: two, schema: {} }
      responses: { 200: { description: ok } }
`
  const places = '"in" must be one of path, query, header, cookie.'
  assert.deepEqual(await faultsOf(context, text), [
    `7: Unknown place "body" of the parameter "one": ${places} What is sent as the body stands under "requestBody" since OpenAPI 3.`,
    `8: No place of the parameter "two": ${places}`,
  ])
})

test('all faults of a file are told at once, each with its line', async (context) => {
  const text = `${head}paths:
  /a/{id}:
    get:
      operationId: getA
      responses: { 200: { description: ok, schema: { $ref: '#/definitions/Nothing' } } }
    post:
      operationId: getA
      parameters:
        - { name: other, in: path, type: string }
        - { name: one, in: body, schema: { type: strng } }
        - { name: two, in: body, schema: {} }
        - { name: q, in: qurey, type: string }
      responses: { 20: { description: ok }, 400: { schema: { $ref: 'other.yaml#/definitions/X' } } }
  /a/{name}:
    get:
      parameters: [{ name: name, in: path, type: string, pattern: '[' }]
      responses: {}
definitions:
  Thing: { type: object, properties: { size: { type: integer, minimum: big } } }
`
  assert.deepEqual(
    (await faultsOf(context, text)).sort(),
    [
      '8: The operation declares two bodies: a request has one body',
      '8: The operationId "getA" is already that of GET /a/{id} of this file',
      '8: The path /a/{id} has {id}, but no path parameter "id" is declared.',
      '8: The path parameter "other" is declared, but the path /a/{id} has no {other}.',
      '12: Unknown type "strng": it must be one of string, number, integer, boolean, array, object, null. Did you mean "string"?',
      '15: The reference "other.yaml#/definitions/X" leads out of this file. Only references within the file (#/…, or an $anchor or $id in it) are read: copy what it means into this file, or make one file of several: npx @redocly/cli bundle <file> -o apis/<name>.yaml.',
      '14: Unknown place "qurey" of the parameter "q": "in" must be one of path, query, header, cookie, body, formData. Did you mean "query"?',
      '15: "20" is no reply status: write 200, 4XX or default',
      '17: GET /a/{name} is already served by GET /a/{id} of this file',
      '18: "pattern" must be a regular expression, not "["',
      '21: "minimum" must be a number, not "big"',
      '5: The path /a/{id} has {id}, but no path parameter "id" is declared.',
      '7: The reference "#/definitions/Nothing" leads nowhere: there is no /definitions/Nothing in this file',
    ].sort(),
  )
})

test('faults of a JSON file have lines too', async (context) => {
  const text = JSON.stringify(
    { swagger: '2.0', paths: { '/a': { get: { responses: { 200: { schema: { type: 'nix' } } } } } } },
    undefined,
    1,
  )
  const [fault = ''] = await faultsOf(context, text, 'shop.json')
  assert.match(fault, /^9: Unknown type "nix"/)
})

test('a YAML file whose aliases explode, or hold themselves, is refused quickly', async (context) => {
  const levels = Array.from({ length: 12 }, (_, index) => {
    const items = Array.from({ length: 10 }, () => (index === 0 ? 'x' : `*a${index - 1}`))
    return `a${index}: &a${index} [${items.join(', ')}]`
  })
  assert.match(
    (await faultsOf(context, `${levels.join('\n')}\n`))[0] ?? '',
    /expand to more than 5000000 values/,
  )
  assert.match((await faultsOf(context, 'a: &a\n  b: *a\n'))[0] ?? '', /expand to more than/)
})

test('references that lead around in a circle are told, not followed', async (context) => {
  const text = `openapi: 3.0.0
paths:
  /a:
    post:
      requestBody: { $ref: '#/components/requestBodies/A' }
      responses: {}
components:
  requestBodies:
    A: { $ref: '#/components/requestBodies/B' }
    B: { $ref: '#/components/requestBodies/A' }
`
  assert.deepEqual(await faultsOf(context, text), ['5: The reference leads back to itself'])
})

test('a schema that is itself is refused, one that holds itself is not', async (context) => {
  const text = `${head}paths: {}
definitions:
  A: { $ref: '#/definitions/B' }
  B: { allOf: [{ $ref: '#/definitions/A' }, { type: object }] }
  C: { type: object, properties: { c: { $ref: '#/definitions/C' } } }
`
  assert.deepEqual(await faultsOf(context, text), [
    '5: The schema is defined by itself (A → B → A): it may hold itself, but not be itself',
  ])
})

test('the specs of a folder are loaded in alphabetical order, other files left alone', async (context) => {
  const spec = `${head}paths: {}\n`
  const path = await folder(context, {
    'b.yaml': spec,
    'a.json': JSON.stringify({ openapi: '3.0.0', paths: {} }),
    'c.yml': spec,
    '.hidden.yaml': 'not: a spec',
    '#b.yaml': 'not: a spec',
    'b.yaml~': 'not: a spec',
    'b.gen.ts': 'export {}',
    'pym-config.yaml': 'name: x',
  })
  const apis = await loadApis(path, apply)
  assert.deepEqual(
    apis.map(({ name }) => name),
    ['a', 'b', 'c'],
  )
})

test('a route that two files serve is told with both, and faults of all files come at once', async (context) => {
  const path = await folder(context, {
    'a.yaml': `${head}basePath: /v1\npaths:\n  /x/{id}: { get: { parameters: [{ name: id, in: path, type: string }], responses: {} } }\n`,
    'b.yaml': `${head}paths:\n  /v1/x/{key}:\n    get: { parameters: [{ name: key, in: path, type: string }], responses: {} }\n`,
    'c.yaml': 'nothing: here\n',
  })
  const error = await loadApis(path, apply).catch((thrown: unknown) => thrown)
  assert(error instanceof SetupError)
  assert.equal(error.faults.length, 2)
  assert.match(error.message, /c\.yaml: This is not an OpenAPI document/)
  assert.match(
    error.message,
    /b\.yaml:5:5: GET \/v1\/x\/\{key\} is already served by GET \/v1\/x\/\{id\} of .*a\.yaml/,
  )
})

test('two files that would give one API name are refused', async (context) => {
  const path = await folder(context, { 'shop.yaml': `${head}paths: {}`, 'shop.yml': `${head}paths: {}` })
  await assert.rejects(loadApis(path, apply), /shop\.yml: The API "shop" is already defined by shop\.yaml/)
})

test('a folder without specs, and a file that is not there, say so', async (context) => {
  const path = await folder(context)
  await assert.rejects(loadApis(path, apply), { code: 'SPEC_MISSING' })
  await assert.rejects(loadApis(join(path, 'nowhere'), apply), { code: 'SPEC_MISSING' })
  await assert.rejects(loadApi(join(path, 'shop.yaml'), apply), { code: 'SPEC_MISSING' })
})

test('the base path is applied or ignored, in both versions', async (context) => {
  const path = await folder(context, {
    'two.yaml': `${head}basePath: /v1/\npaths:\n  /c: { get: { responses: {} } }\n`,
    'three.yaml':
      'openapi: 3.0.0\nservers:\n  - url: https://{host}/{base}/\n    variables: { host: { default: x.org }, base: { default: v2 } }\npaths:\n  /a: { get: { responses: {} } }\n  /b:\n    servers: [{ url: /other }]\n    get: { responses: {} }\n',
  })
  const paths = async (basePath: 'apply' | 'ignore') =>
    (await loadApis(path, { basePath })).flatMap((api) => api.operations.map((operation) => operation.path))
  assert.deepEqual(await paths('apply'), ['/v2/a', '/other/b', '/v1/c'])
  assert.deepEqual(await paths('ignore'), ['/a', '/b', '/c'])
})

test('a file with a byte order mark and merge keys is read', async (context) => {
  const path = await folder(context)
  const text = `\uFEFF${head}x-ok: &ok { description: fine }\npaths:\n  /a: { get: { responses: { 200: { <<: *ok } } } }\n`
  await writeFile(join(path, 'shop.yaml'), text)
  assert.equal((await readFile(join(path, 'shop.yaml'), 'utf8')).charCodeAt(0), 0xfeff)
  assert.deepEqual((await loadApi(join(path, 'shop.yaml'), apply)).operations[0]?.replies, { 200: undefined })
})
