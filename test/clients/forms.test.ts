import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type FakedClient, fakeClient } from '../../src/clients/fake.ts'
import { UploadedFile } from '../../src/core/uploaded-file.ts'
import { openHttp } from '../../src/http/server.ts'
import type { Api, Operation } from '../../src/spec/api.ts'
import type { Handler } from '../../src/spec/bindings.ts'
import { checksOf } from '../../src/spec/checks.ts'
import { ModelRegistry } from '../../src/spec/model-registry.ts'
import { readApi } from '../../src/spec/read-api.ts'
import { httpOptions } from '../http/service.ts'
import { errorOf, loginAt } from './setup.ts'

type Calls = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>

const spec3 = `
openapi: 3.0.3
info: { title: Forms, version: '1' }
paths:
  /form:
    post:
      operationId: form
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded:
            schema:
              type: object
              required: [name]
              properties:
                name: { type: string }
                age: { type: integer }
                tags: { type: array, items: { type: string } }
                home: { type: object, properties: { city: { type: string } } }
                born: { type: string, format: date-time }
                sizes: { type: array, items: { type: integer } }
            encoding: { sizes: { style: form, explode: false } }
      responses: { '200': { description: ok, content: { application/json: { schema: {} } } } }
  /upload/{id}:
    post:
      operationId: upload
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema:
              type: object
              required: [photo]
              properties:
                title: { type: string }
                meta: { type: object, properties: { w: { type: integer } } }
                photo: { type: string, format: binary }
                more: { type: array, items: { type: string, format: binary } }
      responses: { '200': { description: ok, content: { application/json: { schema: {} } } } }
  /text:
    put:
      operationId: text
      requestBody: { content: { text/plain: { schema: { type: string, maxLength: 20 } } } }
      responses: { '200': { description: ok, content: { application/json: { schema: {} } } } }
  /bytes:
    put:
      operationId: bytes
      requestBody: { content: { image/png: { schema: { type: string, format: binary } } } }
      responses: { '200': { description: ok, content: { application/json: { schema: {} } } } }
`

const spec2 = `
swagger: '2.0'
info: { title: Forms, version: '1' }
paths:
  /old/{id}:
    post:
      operationId: old
      consumes: [multipart/form-data]
      parameters:
        - { name: id, in: path, required: true, type: string }
        - { name: note, in: formData, type: string, required: true }
        - { name: file, in: formData, type: file }
      responses: { '200': { description: ok, schema: {} } }
`

/** What handlers got, files read. */
async function told(value: unknown): Promise<unknown> {
  if (value instanceof UploadedFile) return `${value.name} ${value.type} ${await value.text()}`
  if (Array.isArray(value)) return await Promise.all(value.map(told))
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(
    await Promise.all(Object.entries(value).map(async ([key, part]) => [key, await told(part)])),
  )
}

const handler: Handler = async (...args) => await told(args)

async function serviceOf(t: TestContext, api: Api): Promise<string> {
  const models = new ModelRegistry()
  const server = await openHttp({
    ...httpOptions({}),
    apis: [api],
    bindings: new Map(api.operations.map((operation: Operation) => [operation, { handler, decorators: [] }])),
    checksOf: (known, operation) => checksOf(known, operation, models),
  })
  t.after(() => server.stop())
  return server.address.url
}

/** A client that the service behind `url` answers, or a fake with the same handlers. */
function clientOf(url: string, text: string): Calls {
  // The specs above declare these operations.
  return loginAt(url, {
    loadApi: async () => readApi('/test/clients/login.yaml', text, { basePath: 'apply' }),
  }) as never
}

// No generated file declares a client here, so the types know none.
const fake = fakeClient as unknown as (
  name: string,
  answers: Readonly<Record<string, Handler>>,
) => FakedClient

const photo = new File(['PNG…'], 'me.png', { type: 'image/png' })
const form = {
  name: 'Ada & co',
  age: 36,
  tags: ['a,b', 'c'],
  home: { city: 'Gent=' },
  born: new Date(0),
  sizes: [1, 2],
}
const upload = {
  title: 'Me',
  meta: { w: 3 },
  photo,
  more: [new TextEncoder().encode('one'), new Blob(['two'])],
}

const calls = {
  form: [[form], [form, {}]],
  upload: [
    [upload, { id: 'x/1' }],
    [
      {
        title: 'Me',
        meta: { w: 3 },
        photo: 'me.png image/png PNG…',
        more: ['more application/octet-stream one', 'more application/octet-stream two'],
      },
      { id: 'x/1' },
    ],
  ],
  text: [['schön'], ['schön', {}]],
  bytes: [[new Uint8Array([104, 105])], ['undefined image/png hi', {}]],
} as const

test('forms, files, texts and bytes arrive at a real service, and at a fake, as they were sent', async (t) => {
  const client = clientOf(
    await serviceOf(t, readApi('/test/forms.yaml', spec3, { basePath: 'apply' })),
    spec3,
  )
  for (const [name, [args, expected]] of Object.entries(calls)) {
    // As JSON has it.
    const wanted = JSON.parse(JSON.stringify(expected))
    assert.deepEqual(await client[name]?.(...args), wanted, name)
  }
  using _ = fake('login', { form: handler, upload: handler, text: handler, bytes: handler })
  for (const [name, [args, expected]] of Object.entries(calls)) {
    assert.deepEqual(await client[name]?.(...args), JSON.parse(JSON.stringify(expected)), `${name} of a fake`)
  }
})

test("Swagger 2.0's form fields stand beside the parameters", async (t) => {
  const client = clientOf(
    await serviceOf(t, readApi('/test/forms.yaml', spec2, { basePath: 'apply' })),
    spec2,
  )
  const reply = [{ id: '7', note: 'hi', file: 'me.png image/png PNG…' }]
  assert.deepEqual(await client.old?.({ id: '7', note: 'hi', file: photo }), reply)
  using _ = fake('login', { old: handler })
  assert.deepEqual(await client.old?.({ id: '7', note: 'hi', file: photo }), reply)
})

test('what a form does not allow is not sent', async () => {
  const client = clientOf('http://login.invalid', spec3)
  const bad = { title: 7, photo: 'a path?', more: photo }
  const error = await errorOf(client.upload?.(bad, { id: '1' }) ?? Promise.resolve())
  for (const part of [
    'body.photo must be a file',
    'body.more must be a list of files',
    'body.title must be a string',
  ])
    assert.ok(error.message.includes(part), error.message)
  assert.match((await errorOf(client.bytes?.('text') ?? Promise.resolve())).message, /body must be a file/)
  assert.match(
    (await errorOf(client.text?.('x'.repeat(21)) ?? Promise.resolve())).message,
    /at most 20 characters/,
  )
  assert.match((await errorOf(client.form?.({}) ?? Promise.resolve())).message, /body\.name is required/)
  const old = clientOf('http://login.invalid', spec2)
  assert.match(
    (await errorOf(old.old?.({ id: '7', notes: 'x' }) ?? Promise.resolve())).message,
    /Did you mean "note"/,
  )
})
