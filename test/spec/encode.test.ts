import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Api, Operation, ValueFault } from '../../src/spec/api.ts'
import { checksOf } from '../../src/spec/checks.ts'
import { encodeParameters, type GivenValues } from '../../src/spec/encode.ts'
import { ModelRegistry } from '../../src/spec/model-registry.ts'
import { readApi } from '../../src/spec/read-api.ts'

const models = new ModelRegistry()

/** Encodes the value of the parameter `p` and reads it again as a server would. */
function sentAndRead(api: Api, value: unknown, index = 0): unknown {
  const operation = api.operations[index]
  assert.ok(operation)
  const faults: ValueFault[] = []
  const encoded = encodeParameters(operation, valuesOf(operation, value), faults)
  assert.deepEqual(faults, [])
  const read = checksOf(api, operation, models).request({
    params: paramsOf(encoded.path),
    query: encoded.query,
    headers: encoded.headers,
    body: undefined,
  })
  assert.ok('decoded' in read, `${JSON.stringify(encoded)} was refused: ${JSON.stringify(read)}`)
  return read.decoded.named.p
}

function valuesOf({ parameters: [parameter] }: Operation, value: unknown): GivenValues {
  const none = { path: {}, query: {}, header: {}, cookie: {} }
  return parameter === undefined ? none : { ...none, [parameter.in]: { p: value } }
}

/** Routers decode a segment before anyone reads it. */
function paramsOf(path: string): Record<string, string> {
  const text = /^\/x\d*\/([^/]*)\/y$/.exec(path)?.[1]
  return text === undefined ? {} : { p: decodeURIComponent(text) }
}

const schemas = {
  string: '{ type: string }',
  number: '{ type: number }',
  date: '{ type: string, format: date-time }',
  strings: '{ type: array, items: { type: string } }',
  integers: '{ type: array, items: { type: integer } }',
  object:
    '{ type: object, properties: { r: { type: integer }, name: { type: string }, on: { type: boolean } } }',
}
type Kind = keyof typeof schemas

interface Form {
  readonly in: string
  readonly style: string
  readonly explode: boolean
  readonly kind: Kind
}

/** Every style in every place that OpenAPI 3 gives it. */
const forms: readonly Form[] = (
  [
    ['path', ['simple', 'label', 'matrix'], Object.keys(schemas)],
    ['query', ['form'], Object.keys(schemas)],
    ['query', ['spaceDelimited', 'pipeDelimited'], ['strings', 'integers', 'object']],
    ['query', ['deepObject'], ['object']],
    ['header', ['simple'], Object.keys(schemas)],
    ['cookie', ['form'], Object.keys(schemas)],
  ] as const
).flatMap(([place, styles, kinds]) =>
  styles.flatMap((style) =>
    kinds.flatMap((kind) =>
      [true, false].map((explode) => ({ in: place, style, explode, kind: kind as Kind })),
    ),
  ),
)

/** One API with an operation for each form, in their order. */
function apiOf(version: string): Api {
  const paths = forms.map(({ in: place, style, explode, kind }, index) => {
    const parameter = `{ name: p, in: ${place}, required: ${place === 'path'}, style: ${style}, explode: ${explode}, schema: ${schemas[kind]} }`
    return `  ${place === 'path' ? `/x${index}/{p}/y` : `/x${index}`}: { get: { parameters: [${parameter}], responses: {} } }`
  })
  const text = `openapi: ${version}\ninfo: { title: t, version: '1' }\npaths:\n${paths.join('\n')}\n`
  return readApi('/test/t.yaml', text, { basePath: 'apply' })
}

// Made once: the alphabet of graphemes is large.
const anyText = fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }).filter((text) => !isSteps(text))
const headerText = fc
  .string({ minLength: 1, maxLength: 8, unit: 'grapheme-ascii' })
  .filter((text) => text === text.trim())

/** Values that a form can carry at all: routers and headers leave no way to tell a separator from a letter. */
function valueFor({ in: place, style, explode, kind }: Form): fc.Arbitrary<unknown> {
  const inText = place === 'path' || place === 'header'
  const forbidden = inText ? ',.;=' : ({ spaceDelimited: ' ', pipeDelimited: '|' }[style] ?? '')
  const letters = place === 'header' ? headerText : anyText
  const piece = letters.filter((text) => ![...forbidden].some((letter) => text.includes(letter)))
  const whole = place === 'header' || place === 'path' ? letters : fc.string({ maxLength: 8 })
  const integer = fc.integer()
  const values: Record<Kind, fc.Arbitrary<unknown>> = {
    string: whole,
    number: fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
    date: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31T00:00:00Z') }),
    strings: fc.array(piece, { minLength: 1, maxLength: 4 }),
    integers: fc.array(integer, { minLength: explode || inText ? 1 : 0, maxLength: 4 }),
    object: fc.record({ r: integer, name: piece, on: fc.boolean() }, { requiredKeys: ['r'] }),
  }
  return values[kind]
}

/** Data alone, without the prototypes of models and of what the generator makes. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

function isSteps(text: string): boolean {
  return text === '.' || text === '..'
}

for (const version of ['3.0.3', '3.1.0']) {
  test(`what is encoded in any style of ${version} is decoded as the same values`, (t) => {
    let count = 0
    const api = apiOf(version)
    for (const [index, form] of forms.entries()) {
      fc.assert(
        fc.property(valueFor(form), (value) => {
          count++
          assert.deepEqual(plain(sentAndRead(api, value, index)), plain(value), JSON.stringify(form))
        }),
        { numRuns: 10 },
      )
    }
    t.diagnostic(`${forms.length} forms, ${count} values`)
  })
}

/** Without the names that are refused in any document. */
const documents = fc.jsonValue().filter((value) => !/"(__proto__|constructor)"/.test(JSON.stringify(value)))

test('documents as parameters are decoded as the same values, wherever they stand', () => {
  const places = ['path', 'query', 'header', 'cookie']
  const paths = places.map(
    (place, index) =>
      `  ${place === 'path' ? '/x0/{p}/y' : `/x${index}`}: { get: { parameters: [{ name: p, in: ${place}, required: true, content: { application/json: { schema: {} } } }], responses: {} } }`,
  )
  const api = readApi(
    '/test/t.yaml',
    `openapi: 3.0.3\ninfo: { title: t, version: '1' }\npaths:\n${paths.join('\n')}\n`,
    { basePath: 'apply' },
  )
  for (const index of places.keys()) {
    fc.assert(
      fc.property(documents, (value) => {
        assert.deepEqual(plain(sentAndRead(api, value, index)), plain(value), places[index])
      }),
      { numRuns: 30 },
    )
  }
})

test('what is encoded by a collectionFormat of Swagger 2.0 is decoded as the same values', () => {
  for (const format of ['csv', 'ssv', 'tsv', 'pipes', 'multi']) {
    const text = `swagger: '2.0'
info: { title: t, version: '1' }
paths: { /x: { get: { parameters: [{ name: p, in: query, type: array, items: { type: string }, collectionFormat: ${format} }], responses: {} } } }`
    const api = readApi('/test/t.yaml', text, { basePath: 'apply' })
    const piece = fc.string({ minLength: 1 }).filter((item) => !/[ \t|]/.test(item))
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1 }), (value) => {
        assert.deepEqual(sentAndRead(api, value), value, format)
      }),
      { numRuns: 50 },
    )
  }
})

test('deep objects of any depth are decoded as the same values', () => {
  const text = `openapi: 3.0.3
info: { title: t, version: '1' }
paths:
  /x: { get: { parameters: [{ name: p, in: query, style: deepObject, explode: true, schema: { $ref: '#/components/schemas/Node' } }], responses: {} } }
components:
  schemas:
    Node: { type: object, properties: { n: { type: integer }, tags: { type: array, items: { type: string } }, next: { $ref: '#/components/schemas/Node' } } }`
  const api = readApi('/test/t.yaml', text, { basePath: 'apply' })
  const node: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    node: fc.record(
      { n: fc.integer(), tags: fc.array(fc.string(), { minLength: 1, maxLength: 3 }), next: tie('node') },
      { requiredKeys: ['n'] },
    ),
  })).node
  fc.assert(
    fc.property(node, (value) => {
      assert.deepEqual(plain(sentAndRead(api, value)), plain(value))
    }),
  )
})

test('what no request can carry is told with its path', () => {
  const text = `openapi: 3.0.3
info: { title: t, version: '1' }
paths:
  /x/{a}/{b}/{c}:
    get:
      parameters:
        - { name: a, in: path, required: true, schema: { type: string } }
        - { name: b, in: path, required: true, schema: { type: string } }
        - { name: c, in: path, required: true, schema: { type: string } }
        - { name: X-Note, in: header, schema: { type: string } }
        - { name: list, in: query, schema: { type: array, items: {} } }
        - { name: since, in: query, schema: { type: string, format: date-time } }
      responses: {}`
  const { operations } = readApi('/test/t.yaml', text, { basePath: 'apply' })
  const [operation] = operations
  assert.ok(operation)
  const faults: ValueFault[] = []
  const values = {
    path: { a: '', b: '..', c: 'a/../b?c#d' },
    header: { 'X-Note': 'two\r\nLines: 1' },
    query: { list: [{ a: 1 }], since: new Date('never') },
    cookie: {},
  }
  const { path } = encodeParameters(operation, values, faults)
  assert.equal(path, '/x//../a%2F..%2Fb%3Fc%23d')
  assert.deepEqual(
    faults.map((fault) => fault.path),
    ['query.list', 'query.since', 'header.X-Note', 'path.a', 'path'],
  )
})
