import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { ClientCall } from '../../src/clients/client.ts'
import { type ClientSettings, clientNamed, installClients } from '../../src/clients/table.ts'
import type { Api } from '../../src/spec/api.ts'
import { ModelRegistry } from '../../src/spec/model-registry.ts'
import { readApi } from '../../src/spec/read-api.ts'

/** The spec of the other service in the tests of this folder. */
const spec = `
openapi: 3.0.3
info: { title: Login, version: '1' }
servers: [{ url: /v1 }]
paths:
  /users/{id}:
    get:
      operationId: getUser
      security: [{ jwt: [] }]
      parameters:
        - { name: id, in: path, required: true, schema: { type: string } }
        - { name: fields, in: query, style: pipeDelimited, explode: false, schema: { type: array, items: { type: string } } }
        - { name: since, in: query, schema: { type: string, format: date-time } }
        - { name: X-Tenant, in: header, schema: { type: string } }
        - { name: session, in: cookie, schema: { type: string } }
      responses: { '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/User' } } } } }
    put:
      operationId: replaceUser
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/User' } } } }
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/User' } } } }
        '204': { description: nothing to say }
  /users:
    post:
      operationId: addUser
      requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/User' } } } }
      responses: { '201': { description: made, content: { application/json: { schema: { $ref: '#/components/schemas/User' } } } } }
  /ping:
    get: { responses: { '200': { description: ok, content: { application/json: { schema: {} } } } } }
    head: { operationId: pingHead, responses: { '200': { description: ok, content: { application/json: { schema: { type: object } } } } } }
  /photo:
    get: { operationId: getPhoto, responses: { '200': { description: ok, content: { image/png: {} } }, '302': { description: elsewhere } } }
  /vouchers/{voucher}:
    get:
      operationId: getVoucher
      parameters: [{ name: voucher, in: path, required: true, schema: { type: string, x-sensitive: true } }]
      responses: { '200': { description: ok, content: { application/json: { schema: { type: object } } } } }
components:
  securitySchemes: { jwt: { type: http, scheme: bearer } }
  schemas:
    User:
      type: object
      required: [name, born]
      properties:
        name: { type: string }
        born: { type: string, format: date-time }
        friends: { type: array, items: { $ref: '#/components/schemas/User' } }
`

export interface User {
  readonly name: string
  readonly born: Date | string
  readonly friends?: readonly User[]
}

type Named = {
  readonly id: string
  readonly fields?: readonly string[]
  readonly since?: Date
  readonly 'X-Tenant'?: string
  readonly session?: string
}

/** What a generated file would declare for that spec. */
export interface Login {
  readonly getUser: ClientCall<[parameters: Named], User>
  readonly replaceUser: ClientCall<[body: User, parameters: { id: string }], User | undefined>
  readonly addUser: ClientCall<[body?: User], User>
  readonly 'GET /v1/ping': ClientCall<[], unknown>
  readonly pingHead: ClientCall<[], unknown>
  readonly getPhoto: ClientCall<[], void>
  readonly getVoucher: ClientCall<[parameters: { voucher: string }], object>
}

/** Read anew: what is known of it stays with one test. */
export function loginApi(): Api {
  return readApi('/test/clients/login.yaml', spec, { basePath: 'apply' })
}

/** The client `login` of a service at this address. */
export function loginAt(url: string, settings: Partial<ClientSettings> = {}): Login {
  const models = new ModelRegistry()
  const login: ClientSettings = {
    name: 'login',
    url,
    timeoutMs: 5000,
    retries: 0,
    replyCheck: 'fail',
    replyLimit: 100_000,
    headers: {},
    passToken: true,
    userAgent: 'tests',
    loadApi: async () => loginApi(),
    models,
    ...settings,
  }
  installClients(new Map([['login', login]]))
  // The spec above declares what Login says.
  return clientNamed('login') as Login
}

export interface RawServer {
  readonly url: string
  readonly server: Server
  /** Every request so far, as `GET /v1/ping`, with its headers. */
  readonly requests: { readonly line: string; readonly headers: Readonly<Record<string, unknown>> }[]
}

/** A server of bad manners on a port of its own, closed when the test ends. */
export async function serverOf(t: TestContext, listener: RequestListener): Promise<RawServer> {
  const requests: RawServer['requests'] = []
  const server = createServer((request, response) => {
    requests.push({ line: `${request.method} ${request.url}`, headers: request.headers })
    listener(request, response)
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  // Listening on a port, it has an address of this form.
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, server, requests }
}

export const ada = { name: 'Ada', born: '1815-12-10T00:00:00.000Z' }

/** A reply of JSON. */
export function json(body: unknown, status = 200): RequestListener {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
}

/** What a call rejects with. */
export async function errorOf(call: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await call
  } catch (error) {
    // Each test says which class it expects.
    return error as Error & Record<string, unknown>
  }
  throw new Error('The call did not fail')
}
