import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import { type Context, currentContext, type Scope } from '../../src/core/context.ts'
import { MacaronError } from '../../src/core/errors.ts'
import { type EventName, type Events, on } from '../../src/core/events.ts'
import type { HttpOptions } from '../../src/http/options.ts'
import { type HttpServer, openHttp } from '../../src/http/server.ts'
import type { Api, Body, Operation, OperationChecks, RawRequest } from '../../src/spec/api.ts'
import type { Handler } from '../../src/spec/bindings.ts'
import { dropScope, takeStaged } from '../../src/tasks/staging.ts'

/** A server over real sockets with hand-made operations, for the tests of this folder. */

export interface TestOperation extends Partial<Omit<Operation, 'path' | 'method'>> {
  readonly handler: Handler
  readonly decorators?: never
  readonly checks?: Partial<OperationChecks>
}

/** Operations by `'post /signup'`. */
export type TestOperations = Readonly<Record<string, TestOperation>>

export async function serve(
  test: TestContext,
  operations: TestOperations,
  options: Partial<HttpOptions> = {},
): Promise<HttpServer> {
  const server = await openHttp(httpOptions(operations, options))
  test.after(() => server.stop())
  return server
}

export function httpOptions(operations: TestOperations, options: Partial<HttpOptions> = {}): HttpOptions {
  const made = Object.entries(operations).map(([key, given]) => ({
    given,
    operation: operationOf(key, given),
  }))
  const api: Api = {
    name: 'test',
    file: 'apis/test.yaml',
    title: 'Test',
    version: '1',
    operations: made.map(({ operation }) => operation),
    schemas: {},
    schemasAt: '/definitions',
    parts: {},
  }
  const checks = new Map(made.map(({ given, operation }) => [operation, given.checks]))
  return {
    apis: [api],
    bindings: new Map(made.map(({ given, operation }) => [operation, { handler: given.handler }])),
    checksOf: (_api, operation) => ({ ...openChecks, ...checks.get(operation) }),
    tokens: undefined,
    release: async (scope) => void takeStaged(scope),
    drop: dropScope,
    name: 'test',
    version: '1.0.0',
    env: 'test',
    production: false,
    port: 0,
    host: '127.0.0.1',
    stopTimeoutMs: 2000,
    ...options,
  }
}

/** A body that is required, of any form. */
export const anyBody: Body = {
  required: true,
  schema: true,
  model: undefined,
  content: [{ mediaType: 'application/json', kind: 'json', schema: true, encoding: {} }],
  asParameters: false,
}

function operationOf(key: string, given: TestOperation): Operation {
  const [method = '', path = ''] = key.split(' ')
  const { handler: _handler, checks: _checks, ...rest } = given
  return {
    api: 'test',
    // Keys are written in this form in every test.
    method: method as Operation['method'],
    path,
    operationId: undefined,
    binding: 'test',
    served: true,
    summary: undefined,
    authenticated: false,
    takesToken: false,
    parameters: [],
    body: undefined,
    replies: {},
    replyMedia: {},
    place: { file: 'apis/test.yaml', pointer: `/paths/${path}/${method}` },
    ...rest,
    decorators: [],
  }
}

/** Lets everything through; parameters are what the path says, undecoded. */
const openChecks: OperationChecks = {
  fileFields: () => new Map(),
  request: ({ params, body }: RawRequest) => ({ decoded: { params, query: {}, named: params, body } }),
  reply: () => 'undeclared',
}

export interface Received {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed text, where it is JSON. */
  readonly json: Record<string, unknown>
}

export async function get(server: HttpServer, path: string, init: RequestInit = {}): Promise<Received> {
  const response = await fetch(`${server.address.url}${path}`, init)
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: jsonOf(text) }
}

export function post(server: HttpServer, path: string, body: unknown, headers: Record<string, string> = {}) {
  return get(server, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  })
}

function jsonOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

/** Sends bytes over a connection of their own and gives all that comes back until it is closed. */
export function talk(server: HttpServer, ...pieces: readonly (string | Uint8Array)[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(server.address.port, '127.0.0.1')
    const received: Buffer[] = []
    socket.on('data', (bytes) => received.push(bytes))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(Buffer.concat(received).toString('utf8')))
    for (const piece of pieces) socket.write(piece)
  })
}

export function refusesConnections(server: HttpServer): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(server.address.port, '127.0.0.1')
    socket.on('connect', () => resolve(false)).on('error', () => resolve(true))
  })
}

export interface RawReply {
  readonly status: number
  readonly head: string
  readonly json: Record<string, unknown>
}

/** The replies in what came over a connection, cut apart by their Content-Length. */
export function rawReplies(text: string): readonly RawReply[] {
  const replies: RawReply[] = []
  let rest = Buffer.from(text, 'utf8')
  while (rest.length > 0) {
    const end = rest.indexOf('\r\n\r\n')
    const head = rest.subarray(0, end).toString('utf8')
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    const body = rest.subarray(end + 4, end + 4 + length).toString('utf8')
    replies.push({ status: Number(head.split(' ')[1]), head, json: jsonOf(body) })
    rest = rest.subarray(end + 4 + length)
  }
  return replies
}

/** Collects events of these names for the length of a test. */
export function collect<Name extends EventName>(test: TestContext, name: Name): Events[Name][] {
  const seen: Events[Name][] = []
  test.after(on(name, (detail) => void seen.push(detail)))
  return seen
}

/** The current context, where a handler must have one. */
export function contextHere(): Context {
  const context = currentContext()
  if (context === undefined) throw new MacaronError('NO_CONTEXT', 'The handler runs without context')
  return context
}

/** Stages a stand-in for a task's message, as `fire` would. */
export function stage(name: string, args = '[]'): Scope {
  const { scope } = contextHere()
  scope.staged.push({ name, args, contextText: '' })
  return scope
}
