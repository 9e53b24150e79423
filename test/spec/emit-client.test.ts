import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { clientFile } from '../../src/spec/emit-client.ts'
import { generateIfStale } from '../../src/spec/generate.ts'

const repository = resolve(import.meta.dirname, '../..')

/** A service's folder inside the package, where generated files find 'macaron'. */
async function serviceFolder(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(join(repository, '.macaron'), { recursive: true })
  const folder = await mkdtemp(join(repository, '.macaron', 'clients-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  return folder
}

/** The complaints of the strictest tsc. */
async function typeFaults(folder: string): Promise<string> {
  const config = { extends: join(repository, 'tsconfig.json'), include: ['**/*.ts'], exclude: [] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(repository, 'node_modules/typescript/bin/tsc')
  return promisify(execFile)(process.execPath, [tsc, '--noEmit', '-p', folder]).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  )
}

const login = `
openapi: 3.0.3
info: { title: Login, version: '1' }
servers: [{ url: /v1 }]
paths:
  /users/{id}:
    get:
      operationId: getUser
      summary: One user
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer } }
        - { name: since, in: query, schema: { type: string, format: date-time } }
        - { name: page, in: query, schema: { type: integer, default: 1 } }
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/User' } } } }
        '404': { description: no }
  /users:
    post:
      operationId: users.add
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/User' } } } }
      parameters: [{ name: dry-run, in: query, schema: { type: boolean } }]
      responses:
        '201': { description: made, content: { application/json: { schema: { $ref: '#/components/schemas/User' } } } }
        '204': { description: dry }
    patch:
      operationId: touch
      requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/ClientCall' } } } }
      responses: { '204': { description: done } }
  /photo:
    post:
      operationId: addPhoto
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema:
              type: object
              required: [photo]
              properties:
                photo: { type: string, format: binary }
                more: { type: array, items: { type: string, format: binary } }
                of: { $ref: '#/components/schemas/User' }
      responses: { '204': { description: done } }
    put:
      operationId: setPhoto
      requestBody: { required: true, content: { image/png: { schema: { type: string, format: binary } } } }
      responses: { '204': { description: done } }
  /ping:
    get: { responses: { '200': { description: ok, content: { application/json: { schema: { type: string } } } } } }
components:
  schemas:
    User: { type: object, required: [name, born], properties: { name: { type: string }, born: { type: string, format: date-time } } }
    ClientCall: { type: object, properties: { at: { type: string } } }
    LoginClient: { type: object, properties: { at: { type: string } } }
`

const use = `
import { type CallOptions, client } from 'macaron'
import { fakeClient } from 'macaron/testing'
import { User } from './clients/login.gen.ts'

export async function check(): Promise<void> {
  const login = client('login')
  const user: User = await login.getUser({ id: 7, since: new Date() }, { timeout: '5s' })
  user.born.getTime()
  const reply = await login.getUser.reply({ id: 7 })
  reply.body.name.length + reply.status
  const added: User | undefined = await login['users.add']({ name: 'Ada', born: '1815-12-10T00:00:00Z' }, { 'dry-run': true })
  await login['users.add'](new User({ name: 'Ada', born: new Date() }), undefined, { retries: 0 })
  const nothing: void = await login.touch()
  await login.touch({ at: 'x' }, { headers: { a: 'b' } })
  const text: string = await login['GET /v1/ping']()
  await client('own').show({ id: 'x' })
  await login.addPhoto({ photo: new Blob(['x']), more: [new Uint8Array(1)], of: { name: 'Ada', born: new Date() } })
  await login.setPhoto(new File(['x'], 'x.png'))
  const options: CallOptions = { token: false }
  console.log(added, nothing, text, options)
}

/** What answers in place of the other service takes what its handlers take: models, Dates, files, defaults, parameters that are always there. */
export function faked(): void {
  fakeClient('login', {
    getUser: ({ id, since, page }) => ({ name: id.toFixed(page) + since?.getTime(), born: new Date() }),
    'users.add': (body, { 'dry-run': dry }) => (dry === true ? undefined : { name: body.name, born: body.born.toISOString() }),
    touch: (body) => void body?.at?.length,
    addPhoto: async ({ photo, more, of }) => void [await photo.buffer(), more?.length, of?.born.getTime()],
    setPhoto: async (photo) => void (await photo.text()),
    'GET /v1/ping': () => 'pong',
  })
  fakeClient('own', { show: ({ id }) => [{ at: id }] })
  // @ts-expect-error no such operation
  fakeClient('login', { getUsr: () => undefined })
  // @ts-expect-error a number
  fakeClient('login', { getUser: ({ id }: { id: string }) => ({ name: id, born: new Date() }) })
  // @ts-expect-error a user
  fakeClient('login', { getUser: () => ({ name: 7 }) })
}

export async function refused(): Promise<void> {
  // @ts-expect-error no such client
  client('logn')
  // @ts-expect-error no such operation
  await client('login').getUsr({ id: 7 })
  // @ts-expect-error a number
  await client('login').getUser({ id: '7' })
  // @ts-expect-error required
  await client('login').getUser({})
  // @ts-expect-error no such parameter
  await client('login').getUser({ id: 7, colour: 'red' })
  // @ts-expect-error the body goes first
  await client('login')['users.add']({ 'dry-run': true })
  // @ts-expect-error a file
  await client('login').addPhoto({ photo: 'me.png' })
  // @ts-expect-error no such option
  await client('login').getUser({ id: 7 }, { timeOut: 5 })
}
`

const own = `
openapi: 3.0.3
info: { title: Own, version: '1' }
paths:
  /things/{id}:
    get:
      operationId: show
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
      responses: { '200': { description: ok, content: { application/json: { schema: { type: array, items: { $ref: '#/components/schemas/Thing' } } } } } }
components: { schemas: { Thing: { type: object, properties: { at: { type: string, format: date-time } } }, Unused: { type: object, properties: { a: {} } } } }
`

test('client(name) is typed by its spec: operations, parameters, body, reply; wrong calls do not compile', async (t) => {
  const folder = await serviceFolder(t, { 'clients/login.yaml': login, 'apis/own.yaml': own, 'use.ts': use })
  const file = (name: string) => join(folder, 'clients', `${name}.gen.ts`)
  const ofLogin = clientFile({ name: 'login', file: file('login'), isOwn: false, basePath: 'apply' })
  const made = await generateIfStale(join(folder, 'clients/login.yaml'), ofLogin)
  assert.deepEqual(made, { file: file('login'), written: true, replaced: false })
  await generateIfStale(join(folder, 'apis/own.yaml'))
  const ofOwn = clientFile({ name: 'own', file: file('own'), isOwn: true, basePath: 'apply' })
  await generateIfStale(join(folder, 'apis/own.yaml'), ofOwn)
  // Another service in the same program, with another client of the name.
  await mkdir(join(folder, 'other/clients'), { recursive: true })
  const elsewhere = join(folder, 'other/clients/login.gen.ts')
  const ofOther = clientFile({ name: 'login', file: elsewhere, isOwn: false, basePath: 'apply' })
  await generateIfStale(join(folder, 'apis/own.yaml'), ofOther)
  assert.equal(await typeFaults(folder), '')

  const text = await readFile(file('own'), 'utf8')
  assert.match(text, /import type \{ Thing, ThingInit \} from '\.\.\/apis\/own\.gen\.ts'/)
  const loaded: Record<string, unknown> = await import(pathToFileURL(file('login')).href)
  assert.deepEqual(Object.keys(loaded).toSorted(), ['ClientCall', 'LoginClient', 'User'])
})

test('a generated client is written anew when its spec or its base path changes, and only then', async (t) => {
  const folder = await serviceFolder(t, { 'clients/login.yaml': login })
  const spec = join(folder, 'clients/login.yaml')
  const written = async (basePath: 'apply' | 'ignore') => {
    const output = clientFile({
      name: 'login',
      file: join(folder, 'clients/login.gen.ts'),
      isOwn: false,
      basePath,
    })
    return (await generateIfStale(spec, output)).written
  }
  assert.equal(await written('apply'), true)
  assert.equal(await written('apply'), false)
  assert.equal(await written('ignore'), true)
  assert.match(await readFile(join(folder, 'clients/login.gen.ts'), 'utf8'), /readonly 'GET \/ping'/)
  await writeFile(spec, login.replace('operationId: touch', 'operationId: patchUsers'))
  assert.equal(await written('ignore'), true)
})
