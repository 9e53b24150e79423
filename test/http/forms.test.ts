import assert from 'node:assert/strict'
import { readdirSync, readlinkSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { currentContext, currentRequest } from '../../src/core/context.ts'
import { UploadedFile } from '../../src/core/uploaded-file.ts'
import { Model } from '../../src/spec/models.ts'
import { api2, api3 } from '../spec/support/specs.ts'
import { until } from '../support/until.ts'
import { type Received, rawReplies, talk } from './service.ts'
import { serveApi } from './spec-service.ts'

type Server = Awaited<ReturnType<typeof serveApi>>

async function send(
  server: Server,
  path: string,
  body: Body,
  type?: string,
): Promise<Received['json'] & { status?: unknown }> {
  const response = await fetch(server.address.url + path, {
    method: 'POST',
    body,
    ...(type === undefined ? {} : { headers: { 'content-type': type } }),
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  })
  return { status: response.status, ...JSON.parse(await response.text()) }
}

function formOf(fields: Readonly<Record<string, string | Blob | readonly (string | Blob)[]>>): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) {
    for (const one of [value].flat()) {
      if (typeof one === 'string') form.append(name, one)
      else form.append(name, one)
    }
  }
  return form
}

const png = (text: string, name = 'a.png') => new File([text], name, { type: 'image/png' })

type Body = NonNullable<RequestInit['body']>

/** What a handler has got, with its files read. */
async function seen(value: unknown): Promise<unknown> {
  if (value instanceof UploadedFile) {
    const { name, type, size } = value
    return { name, type, size, text: await value.text() }
  }
  if (Array.isArray(value)) return await Promise.all(value.map(seen))
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  const entries = Object.entries(value).map(async ([key, part]) => [key, await seen(part)] as const)
  return Object.fromEntries(await Promise.all(entries))
}

const usual = async (...args: readonly unknown[]) => ({ args: await seen(args) })

const schemas = `
Person: { type: object, required: [name], properties: {
  name: { type: string, minLength: 2 }, age: { type: integer }, member: { type: boolean, default: false },
  born: { type: string, format: date-time }, tags: { type: array, items: { type: string } },
  home: { type: object, properties: { city: { type: string }, floor: { type: integer } } },
  others: { type: array, items: { type: object, properties: { n: { type: integer } } } } } }
Upload: { type: object, required: [title, picture], properties: {
  title: { type: string }, count: { type: integer, default: 1 }, at: { type: string, format: date-time },
  picture: { type: string, format: binary, maxLength: 200000 }, more: { type: array, maxItems: 2, items: { type: string, format: binary } },
  meta: { $ref: '#/components/schemas/Person' } } }`

const content = (name: string, more = '') => `{ schema: { $ref: '#/components/schemas/${name}' }${more} }`

const shop = () =>
  api3({
    schemas,
    paths: `
/form: { post: { operationId: form, requestBody: { required: true, content: {
  application/x-www-form-urlencoded: ${content('Person')}, multipart/form-data: ${content('Person')}, application/json: ${content('Person')} } }, responses: { 200: { description: ok } } } }
/upload: { post: { operationId: upload, requestBody: { required: true, content: {
  multipart/form-data: ${content('Upload', ", encoding: { picture: { contentType: 'image/png, image/jpeg' } }")} } }, responses: { 200: { description: ok } } } }
/closed: { post: { operationId: closed, requestBody: { content: { application/x-www-form-urlencoded: { schema: { type: object, additionalProperties: false, properties: { a: { type: string } } } } } }, responses: {} } }
/styled: { post: { operationId: styled, requestBody: { content: { application/x-www-form-urlencoded: {
  schema: { type: object, properties: { ids: { type: array, items: { type: integer } }, filter: { type: object, properties: { min: { type: integer } } }, json: { type: string } } },
  encoding: { ids: { style: pipeDelimited, explode: false }, filter: { style: deepObject }, json: { contentType: application/json } } } } }, responses: {} } }
/text: { post: { operationId: text, requestBody: { required: true, content: { text/plain: { schema: { type: string, maxLength: 10 } } } }, responses: {} } }
/bytes: { post: { operationId: bytes, requestBody: { content: { application/octet-stream: {}, image/*: {} } }, responses: {} } }`,
  })

const longDate = '2026-11-25T10:00:00Z'

test('a form is read by its schema, urlencoded, as multipart or as JSON, and is a model', async (t) => {
  const models: boolean[] = []
  const server = await serveApi(t, shop(), {
    form: (body, named) => {
      models.push(body instanceof Model && Object(body).born instanceof Date)
      return { body, named }
    },
  })
  const urlencoded = `name=Ada+L%2B&age=36&member=true&born=${longDate}&tags=a&tags=b%26c&home=${encodeURIComponent('{"city":"Rome","floor":2}')}&others[0][n]=1&others[1][n]=2`
  const fields = {
    name: 'Ada L+',
    age: '36',
    member: 'true',
    born: longDate,
    tags: ['a', 'b&c'],
    'home[city]': 'Rome',
    'home[floor]': '2',
    others: ['{"n":1}', '{"n":2}'],
  }
  const body = {
    name: 'Ada L+',
    age: 36,
    member: true,
    born: '2026-11-25T10:00:00.000Z',
    tags: ['a', 'b&c'],
    home: { city: 'Rome', floor: 2 },
    others: [{ n: 1 }, { n: 2 }],
  }
  const expected = { status: 200, body, named: {} }
  assert.deepEqual(await send(server, '/form', urlencoded, 'application/x-www-form-urlencoded'), expected)
  assert.deepEqual(await send(server, '/form', formOf(fields)), expected)
  assert.deepEqual(
    await send(server, '/form', JSON.stringify({ ...body, born: longDate }), 'application/json'),
    expected,
  )
  assert.deepEqual(models, [true, true, true])
})

test('fields left empty are absent where no text is allowed, and defaults are filled in', async (t) => {
  const server = await serveApi(t, shop(), { usual })
  const sent = await send(
    server,
    '/form',
    new URLSearchParams({ name: 'Ada', age: '', tags: '', home: '', unknown: '1' }),
  )
  assert.deepEqual(sent.args, [{ name: 'Ada', member: false, tags: [''], unknown: '1' }, {}])
})

test('all faults of a form come in one 400', async (t) => {
  const server = await serveApi(t, shop(), { usual })
  const { status, faults } = await send(
    server,
    '/form',
    new URLSearchParams({ name: 'x', age: 'old', home: '{"city":', born: 'now' }),
  )
  assert.equal(status, 400)
  assert.deepEqual(faults, [
    {
      path: 'body.home',
      message: 'is not JSON: expected a value but it ends at position 8 (line 1, column 9)',
    },
    { path: 'body.name', message: 'must have at least 2 characters' },
    { path: 'body.age', message: 'must be a whole number, not "old"' },
    {
      path: 'body.born',
      message: 'must be a date and time with a time zone, such as 2026-11-23T10:00:00Z, not "now"',
    },
  ])
  const encoded = await send(server, '/form', 'name=%zz', 'application/x-www-form-urlencoded')
  assert.match(String(encoded.error_description), /body\.name: is not rightly percent-encoded/)
  const closed = await send(server, '/closed', new URLSearchParams({ a: '1', b: '2' }))
  assert.match(String(closed.error_description), /body\.b: is not/)
  const none = await send(server, '/form', '')
  assert.match(String(none.error_description), /body: is required/)
})

test('fields are read by the styles that the spec gives them', async (t) => {
  const server = await serveApi(t, shop(), { usual })
  const text = 'ids=1|2%7C3&filter[min]=4&filter[__proto__][x]=1&__proto__=1&json=%22a%22'
  const sent = await send(server, '/styled', text, 'application/x-www-form-urlencoded')
  assert.deepEqual(sent.args, [{ ids: [1, 2, 3], filter: { min: 4 }, json: 'a' }, {}])
})

test('files come beside fields, small ones and large ones, in any order, and can be read twice', async (t) => {
  const server = await serveApi(t, shop(), {
    upload: async (body) => {
      const { picture, more = [] } = Object(body)
      assert.ok(picture instanceof UploadedFile && !(body instanceof Model))
      assert.ok(Object(body).at instanceof Date && Object(body).meta instanceof Model)
      const twice = [await picture.buffer(), await picture.buffer()].map(({ length }) => length)
      const both = await Promise.all([picture.text(), picture.text()])
      return {
        same: both[0] === both[1] && both[0] === 'x'.repeat(picture.size ?? 0),
        twice,
        limit: picture.limit,
        more: await seen(more),
      }
    },
  })
  for (const size of [0, 10, 65_536, 65_537, 200_000]) {
    const form = formOf({
      more: [png('1', '/tmp/one.png'), png('2', 'two.txt')],
      picture: png('x'.repeat(size)),
      undeclared: png('z'.repeat(100_000)),
      title: 'T',
      at: longDate,
      meta: new Blob(['{"name":"Ada"}'], { type: 'application/json' }),
    })
    assert.deepEqual(await send(server, '/upload', form), {
      status: 200,
      same: true,
      twice: [size, size],
      limit: 200_000,
      more: [
        { name: 'one.png', type: 'image/png', size: 1, text: '1' },
        { name: 'two.txt', type: 'image/png', size: 1, text: '2' },
      ],
    })
  }
})

test('faults of files and fields are told together', async (t) => {
  const server = await serveApi(t, shop(), { usual })
  const form = formOf({
    picture: [new File(['x'], 'a.pdf', { type: 'application/pdf' }), png('y')],
    more: [png('1'), png('2'), png('3')],
    count: 'many',
  })
  const { status, faults } = await send(server, '/upload', form)
  assert.equal(status, 400)
  assert.deepEqual(faults, [
    { path: 'body.picture', message: 'must be of type image/png or image/jpeg, not application/pdf' },
    { path: 'body.picture', message: 'takes one file, not 2' },
    { path: 'body.title', message: 'is required' },
    { path: 'body.count', message: 'must be a whole number, not "many"' },
    { path: 'body.more', message: 'must have at most 2 items, not 3' },
  ])
  const empty = await send(server, '/upload', formOf({ title: 'T', picture: new File([], '') }))
  assert.match(String(empty.error_description), /body\.picture: is required/)
})

test("Swagger 2.0's form fields and files are parameters by name", async (t) => {
  const api = api2({
    paths: `
/a/{id}:
  post:
    operationId: both
    consumes: [multipart/form-data]
    parameters:
      - { name: id, in: path, required: true, type: integer }
      - { name: note, in: formData, type: string, default: none }
      - { name: sizes, in: formData, type: array, collectionFormat: csv, items: { type: integer } }
      - { name: picture, in: formData, type: file, required: true }
    responses: { 200: { description: ok } }
/plain: { post: { operationId: plain, parameters: [{ name: n, in: formData, type: integer, required: true }, { name: id, in: query, type: string }], responses: { 200: { description: ok } } } }`,
  })
  const server = await serveApi(t, api, { usual })
  const sent = await send(server, '/a/7', formOf({ sizes: '1,2', picture: png('p'), other: 'x' }))
  assert.deepEqual(sent.args, [
    { id: 7, note: 'none', sizes: [1, 2], picture: { name: 'a.png', type: 'image/png', size: 1, text: 'p' } },
  ])
  assert.deepEqual((await send(server, '/plain?id=q', 'n=3', 'application/x-www-form-urlencoded')).args, [
    { n: 3, id: 'q' },
  ])
  assert.deepEqual((await send(server, '/plain', formOf({ n: '3' }))).args, [{ n: 3 }])
  const missing = await send(server, '/plain', '')
  assert.match(String(missing.error_description), /formData\.n: is required/)
  assert.equal((await send(server, '/a/7', 'n=3', 'application/x-www-form-urlencoded')).status, 415)
})

test('texts are given as they are, in UTF-8 only', async (t) => {
  const server = await serveApi(t, shop(), { usual })
  assert.deepEqual((await send(server, '/text', 'grüezi', 'text/plain')).args, ['grüezi', {}])
  assert.deepEqual((await send(server, '/text', 'a', 'Text/Plain; charset="UTF-8"')).args, ['a', {}])
  assert.match(
    String((await send(server, '/text', 'x'.repeat(11), 'text/plain')).error_description),
    /at most 10/,
  )
  assert.equal((await send(server, '/text', Buffer.from([0xff]), 'text/plain')).error, 'BODY_NOT_UTF8')
  for (const type of [
    'text/plain; charset=latin1',
    'text/html',
    'application/json',
    'application/x-www-form-urlencoded',
  ]) {
    assert.deepEqual((await send(server, '/text', 'a', type)).error, 'UNSUPPORTED_MEDIA_TYPE', type)
  }
})

test('a refused type is told what is taken', async (t) => {
  const server = await serveApi(t, shop(), { usual })
  const response = await fetch(`${server.address.url}/form`, {
    method: 'POST',
    body: 'x',
    headers: { 'content-type': 'application/pdf' },
  })
  assert.equal(response.status, 415)
  const taken = ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data']
  assert.equal(response.headers.get('accept'), taken.join(', '))
  assert.match(
    await response.text(),
    /must be application\/json or application\/x-www-form-urlencoded or multipart\/form-data in UTF-8, not application\/pdf/,
  )
})

test('a body of bytes is a file that arrives while it is read', async (t) => {
  const server = await serveApi(t, shop(), {
    bytes: async (body) => {
      assert.ok(body instanceof UploadedFile)
      const first = await body.buffer()
      const again = await body.buffer().catch((error: { code: string }) => error.code)
      return { type: body.type, size: body.size ?? null, length: first.length, again }
    },
  })
  const bytes = Buffer.alloc(3_000_000, 7)
  const expected = { status: 200, length: 3_000_000, again: 'FILE_CONSUMED' }
  assert.deepEqual(await send(server, '/bytes', bytes, 'image/png'), {
    ...expected,
    type: 'image/png',
    size: 3_000_000,
  })
  const stream = new Blob([bytes]).stream()
  assert.deepEqual(await send(server, '/bytes', stream), {
    ...expected,
    type: 'application/octet-stream',
    size: null,
  })
  assert.equal((await send(server, '/bytes', bytes, 'text/plain')).status, 415)
})

const limits = { bodyLimit: 1000, fileLimit: 5000, uploadLimit: 20_000, partLimit: 5 }

test('each limit has its refusal, and the connection goes on', async (t) => {
  const server = await serveApi(
    t,
    shop(),
    { usual, bytes: async (body) => ({ text: await (body as UploadedFile).text() }) },
    limits,
  )
  const cases: readonly (readonly [string, Body, string | undefined, string])[] = [
    ['/upload', formOf({ title: 'T', picture: png('x'.repeat(5001)) }), undefined, 'FILE_TOO_LARGE'],
    ['/upload', formOf({ title: 'T'.repeat(1001), picture: png('x') }), undefined, 'BODY_TOO_LARGE'],
    ['/upload', formOf({ title: 'T', nobody: png('x'.repeat(20_000)) }), undefined, 'BODY_TOO_LARGE'],
    ['/upload', formOf({ title: ['1', '2', '3', '4', '5', '6'] }), undefined, 'FORM_TOO_MANY_PARTS'],
    ['/form', 'a&b&c&d&e&f', 'application/x-www-form-urlencoded', 'FORM_TOO_MANY_PARTS'],
    ['/form', `a=${'x'.repeat(1000)}`, 'application/x-www-form-urlencoded', 'BODY_TOO_LARGE'],
    ['/text', 'x'.repeat(1001), 'text/plain', 'BODY_TOO_LARGE'],
    ['/bytes', 'x'.repeat(5001), 'image/png', 'FILE_TOO_LARGE'],
    ['/bytes', new Blob(['x'.repeat(50_000)]).stream(), 'image/png', 'FILE_TOO_LARGE'],
  ]
  for (const [path, body, type, error] of cases) {
    const sent = await send(server, path, body, type)
    assert.deepEqual([sent.error, sent.status], [error, 413], String(sent.error_description))
    assert.equal((await send(server, '/form', 'name=Ada', 'application/x-www-form-urlencoded')).status, 200)
  }
})

test('a file that nobody reads holds up neither its request nor those behind it', async (t) => {
  const server = await serveApi(t, shop(), { usual: () => ({ ok: true }) })
  const large = 'x'.repeat(2_000_000)
  const head = `POST /bytes HTTP/1.1\r\nhost: a\r\ncontent-type: image/png\r\ncontent-length: ${large.length}\r\n\r\n`
  const next = 'POST /bytes HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'
  const replies = rawReplies(await talk(server, head, large, next))
  assert.deepEqual(
    replies.map(({ status, json }) => [status, json]),
    [
      [200, { ok: true }],
      [200, { ok: true }],
    ],
  )
  assert.deepEqual(await send(server, '/upload', formOf({ title: 'T', picture: png('x'.repeat(150_000)) })), {
    status: 200,
    ok: true,
  })
})

test('files are gone once the request is answered', async (t) => {
  const kept: UploadedFile[] = []
  const server = await serveApi(t, shop(), {
    upload: (body) => {
      kept.push(Object(body).picture)
      return {}
    },
    bytes: (body) => {
      kept.push(body as UploadedFile)
      return {}
    },
  })
  await send(server, '/upload', formOf({ title: 'T', picture: png('small') }))
  await send(server, '/upload', formOf({ title: 'T', picture: png('x'.repeat(150_000)) }))
  await send(server, '/bytes', 'x', 'image/png')
  assert.equal(kept.length, 3)
  for (const file of kept) {
    const isClosed = () =>
      file.buffer().then(
        () => false,
        (error: { code: string }) => error.code === 'FILE_CLOSED',
      )
    await until(isClosed, { what: 'the file to be closed' })
  }
})

/** A folder for temporary files of its own. */
async function ownTmp(t: TestContext): Promise<string> {
  const before = process.env.TMPDIR
  const folder = await mkdtemp(join(tmpdir(), 'macaron-forms-'))
  process.env.TMPDIR = folder
  t.after(async () => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
    await rm(folder, { recursive: true, force: true })
  })
  return folder
}

/** How many files without a name this process has open. */
function namelessFiles(): number {
  return readdirSync('/proc/self/fd', { encoding: 'utf8' }).filter((fd) =>
    linkOf(fd).includes('macaron-upload-'),
  ).length
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return ''
  }
}

test('however many files a form has, they take one descriptor, and each is read as it was sent', async (t) => {
  const folder = await ownTmp(t)
  const api = api3({
    paths: `
/many: { post: { operationId: many, requestBody: { content: { multipart/form-data: { schema: { type: object, properties: {
  files: { type: array, items: { type: string, format: binary } } } } } } }, responses: {} } }`,
  })
  const texts = Array.from({ length: 900 }, (_, index) => `${index}-${'x'.repeat((index * 37) % 700)}`)
  let descriptors = -1
  const server = await serveApi(t, api, {
    many: async (body) => {
      const files: readonly UploadedFile[] = Object(body).files
      descriptors = namelessFiles()
      // From the last to the first, and all at once: each has a position of its own.
      const read = await Promise.all(files.toReversed().map((file) => file.text()))
      return { same: read.toReversed().every((text, index) => text === texts[index]), count: read.length }
    },
  })
  const before = readdirSync('/proc/self/fd').length
  const sent = await send(server, '/many', formOf({ files: texts.map((text) => png(text)) }))
  assert.deepEqual(sent, { status: 200, same: true, count: 900 })
  assert.equal(descriptors, 1)
  await until(() => namelessFiles() === 0, { what: 'the file to go' })
  assert.ok(readdirSync('/proc/self/fd').length <= before + 5)
  assert.equal(readdirSync(folder).length, 0)
})

test('of files where one is taken, only the first is kept', async (t) => {
  const folder = await ownTmp(t)
  const server = await serveApi(t, shop(), { usual })
  // Whatever had to be kept on disk would be a 503.
  await rm(folder, { recursive: true })
  const large = Array.from({ length: 20 }, () => png('x'.repeat(150_000)))
  const twice = formOf({ title: 'T', picture: [png('small'), ...large] })
  const { status, faults } = await send(server, '/upload', twice)
  assert.equal(status, 400)
  assert.deepEqual(faults, [{ path: 'body.picture', message: 'takes one file, not 21' }])
  const once = await send(server, '/upload', formOf({ title: 'T', picture: large.slice(0, 1) }))
  assert.deepEqual([once.status, once.error], [503, 'FILE_UNSTORABLE'])
})

test('a caller who goes away in the middle of a file leaves nothing behind', async (t) => {
  const folder = await ownTmp(t)
  const server = await serveApi(t, shop(), { usual })
  const head = [
    'POST /upload HTTP/1.1',
    'host: a',
    'content-type: multipart/form-data; boundary=b',
    'content-length: 900000',
    '',
    '',
  ].join('\r\n')
  const part =
    '--b\r\ncontent-disposition: form-data; name="picture"; filename="a"\r\ncontent-type: image/png\r\n\r\n'
  const socket = connect(server.address.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(head + part + 'x'.repeat(150_000))
  await until(() => namelessFiles() === 1 && readdirSync(folder).length === 0, {
    what: 'the file to be spooled',
  })
  socket.destroy()
  await until(() => namelessFiles() === 0, { what: 'the file to go' })
})

test('a handler whose caller goes away gets BODY_INCOMPLETE from the file it reads', async (t) => {
  const told: unknown[] = []
  const socket = new Socket().on('error', () => undefined)
  const server = await serveApi(t, shop(), {
    bytes: async (body) => {
      const stream = (body as UploadedFile).stream()
      stream.once('data', () => socket.destroy())
      await finished(stream).catch((error: { code: string }) => told.push(error.code))
    },
  })
  socket.connect(server.address.port, '127.0.0.1')
  socket.write('POST /bytes HTTP/1.1\r\nhost: a\r\ncontent-type: image/png\r\ncontent-length: 10\r\n\r\nabc')
  await until(() => told.length === 1, { what: 'the refusal' })
  assert.deepEqual(told, ['BODY_INCOMPLETE'])
})

test('the body that travels with tasks has the fields, and of files what they are', async (t) => {
  const bodies: unknown[] = []
  const server = await serveApi(t, shop(), {
    usual: () => {
      bodies.push(currentRequest()?.body)
      assert.ok(currentContext() !== undefined)
      return {}
    },
  })
  await send(server, '/form', 'name=Ada&tags=a&tags=b%20c', 'application/x-www-form-urlencoded')
  await send(
    server,
    '/upload',
    formOf({ title: 'T', picture: png('x'.repeat(150_000)), more: [png('1'), png('2')] }),
  )
  await send(server, '/form', `name=Ada&rest=${'x'.repeat(17_000)}`, 'application/x-www-form-urlencoded')
  await send(server, '/text', 'hello', 'text/plain')
  await send(server, '/bytes', 'hello', 'image/png')
  const file = (size: number) => ({ name: 'a.png', type: 'image/png', size })
  assert.deepEqual(bodies, [
    { name: 'Ada', tags: ['a', 'b c'] },
    { title: 'T', picture: file(150_000), more: [file(1), file(1)] },
    { name: 'Ada' },
    'hello',
    { type: 'image/png', size: 5 },
  ])
})

test('whatever a stranger sends as a form, the server answers in one of its own ways and stays well', async (t) => {
  const server = await serveApi(t, shop(), { usual: () => ({}) }, limits)
  const scrap = fc.constantFrom(
    'name',
    '=',
    '&',
    '[',
    ']',
    '%',
    '%00',
    '%2',
    '__proto__',
    'home',
    'others',
    '{"a":',
    '[0]',
    '[]',
    '+',
    'ü',
    '--b',
    '\r\n',
    'Content-Disposition: form-data; name="picture"',
    '\r\n\r\n',
  )
  const bodies = fc.array(scrap, { maxLength: 30 }).map((pieces) => pieces.join(''))
  const types = fc.constantFrom(
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=b',
    'multipart/form-data',
  )
  const paths = fc.constantFrom('/form', '/upload', '/styled', '/closed')
  await fc.assert(
    fc.asyncProperty(paths, types, bodies, async (url, type, payload) => {
      const { statusCode } = await server.inject({
        method: 'POST',
        url,
        payload,
        headers: { 'content-type': type },
      })
      assert.ok([200, 400, 413, 415].includes(statusCode), `${statusCode}`)
    }),
    { numRuns: 400, seed: 20261125 },
  )
  assert.equal(Object.hasOwn(Object.prototype, 'x'), false)
})
