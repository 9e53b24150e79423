import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Api, JsonSchema } from '../../src/spec/api.ts'
import { Checker } from '../../src/spec/checker.ts'
import { loadApi } from '../../src/spec/load.ts'
import { parseSpec } from '../../src/spec/parse.ts'
import { pointerOfRef, valueAt } from '../../src/spec/pointers.ts'
import { checkGenerated } from './support/generated.ts'
import { sharedSpec } from './support/specs.ts'

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

/** How many operations a file has, counted on the raw text; a path that is a reference has those it leads to. */
function countOperations(file: string): number {
  const root = parseSpec(file, readFileSync(file, 'utf8'))
  const paths = Object.values(valueAt(root, '/paths') ?? {})
  const items = paths.map((item) => ('$ref' in item ? valueAt(root, pointerOfRef(item.$ref) ?? '') : item))
  return items.flatMap((item) => Object.keys(item ?? {})).filter((key) => methods.includes(key)).length
}

/** Every schema that requests and replies are checked with. */
function schemasOf(api: Api): JsonSchema[] {
  const used = api.operations.flatMap(({ parameters, body, replies }) => [
    ...parameters.map(({ schema }) => schema),
    body?.schema,
    ...Object.values(replies),
  ])
  return [...Object.values(api.schemas), ...used].filter((schema) => schema !== undefined)
}

/** Compiles every `step`-th schema, and runs it. */
function compileSome(api: Api, step: number): number {
  const checker = new Checker(api)
  const sample = schemasOf(api).filter((_, index) => index % step === 0)
  for (const schema of sample) {
    const check = checker.check(schema)
    if (!check.fits({}, 'request')) assert(check.faults({}, 'request', 'body').length > 0)
  }
  return sample.length
}

for (const [name, step] of [
  ['stripe.json', 80],
  ['k8s20.json', 80],
  ['github.json', 200],
] as const) {
  test(`${name}: every operation is listed, and its schemas compile`, async (context) => {
    const file = sharedSpec(context, name)
    if (file === undefined) return
    const started = performance.now()
    const api = await loadApi(file, { basePath: 'apply' })
    const loaded = Math.round(performance.now() - started)
    assert.equal(api.operations.length, countOperations(file))
    const compiled = compileSome(api, step)
    const { length } = Object.keys(api.schemas)
    context.diagnostic(
      `${name}: ${api.operations.length} operations, ${length} named schemas, loaded in ${loaded} ms, ${compiled} compiled`,
    )
  })
}

test('the small specs of all three versions: every operation is listed, and all schemas compile', async (context) => {
  const folder = sharedSpec(context, 'small')
  if (folder === undefined) return
  const totals = { files: 0, operations: 0, schemas: 0 }
  for (const name of readdirSync(folder)) {
    const api = await loadApi(join(folder, name), { basePath: 'apply' })
    assert.equal(api.operations.length, countOperations(join(folder, name)), name)
    totals.files += 1
    totals.operations += api.operations.length
    totals.schemas += compileSome(api, 1)
  }
  assert(totals.files > 50)
  context.diagnostic(
    `${totals.files} files, ${totals.operations} operations, ${totals.schemas} schemas compiled`,
  )
})

test("PyMacaron's own specs are loaded unchanged", async (context) => {
  const folder = sharedSpec(context, 'pymacaron')
  if (folder === undefined) return
  const hello = await loadApi(join(folder, 'helloworld.yaml'), { basePath: 'ignore' })
  assert.deepEqual(
    hello.operations.map(
      ({ method, path, binding, authenticated }) => `${method} ${path} ${binding} ${authenticated}`,
    ),
    [
      'get /hello helloworld.api.do_hello false',
      'get /hello/with/auth helloworld.api.do_hello true',
      'post /hello/with/inheritance helloworld.api.do_hello_with_inheritance true',
      'get /die helloworld.api.do_crash false',
      'get /async helloworld.api.do_async false',
      'get /asyncdie helloworld.api.do_async_die false',
    ],
  )
  for (const name of ['ping.yaml', 'crash.yaml']) await loadApi(join(folder, name), { basePath: 'apply' })
})

test('what is generated from the small specs and from PyMacaron is accepted by strict tsc, loaded, and the same each time', async (context) => {
  const folder = sharedSpec(context, 'small')
  if (folder === undefined) return
  const small = readdirSync(folder).map((name) => join(folder, name))
  const pymacaron = ['helloworld', 'ping', 'crash'].map((name) => join(folder, `../pymacaron/${name}.yaml`))
  const parent =
    'export class Question { declare question: string; shout() { return this.question.toUpperCase() } }'
  await checkGenerated(context, [...small, ...pymacaron], { 'helloworld/models.ts': parent })
})
