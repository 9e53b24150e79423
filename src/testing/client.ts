import type { InjectOptions } from 'fastify'
import { on } from '../core/events.ts'
import type { HttpServer } from '../http/server.ts'
import { TestReply } from './reply.ts'

export interface TestRequest {
  /** Default `GET`. */
  readonly method?: string
  /** Path and query: `/accounts/7?full=true`. */
  readonly url: string
  /** Text, bytes, a stream or a form (FormData, URLSearchParams) go as they are; anything else, models included, as JSON. */
  readonly body?: unknown
  /** The same as `body`. */
  readonly payload?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

type Extras = Pick<TestRequest, 'headers'>
type Json = Readonly<Record<string, unknown>>

/** What carries a request through the whole HTTP side, without a socket. */
export interface Way {
  readonly inject: HttpServer['inject']
  /** Runs code by the service's clock, and lets it fire into the service's store. */
  readonly inside: <T>(fn: () => T) => T
  /** The token that requests carry; none for anonymous ones. */
  readonly token?: () => Promise<string>
}

/** Sends requests to a service under test: anonymous ones, or those of one user. A type for the reply's JSON can be named: `get<Account>('/me')`. */
export class TestClient {
  readonly #way: Way

  constructor(way: Way) {
    this.#way = way
  }

  /** Sends a request and resolves with its reply, whatever its status. */
  async inject<Body = Json>(request: TestRequest): Promise<TestReply<Body>> {
    const { inside } = this.#way
    return await inside(() => this.#send<Body>(request))
  }

  get<Body = Json>(url: string, extras: Extras = {}): Promise<TestReply<Body>> {
    return this.inject({ ...extras, method: 'GET', url })
  }

  post<Body = Json>(url: string, body?: unknown, extras: Extras = {}): Promise<TestReply<Body>> {
    return this.inject({ ...extras, method: 'POST', url, body })
  }

  put<Body = Json>(url: string, body?: unknown, extras: Extras = {}): Promise<TestReply<Body>> {
    return this.inject({ ...extras, method: 'PUT', url, body })
  }

  patch<Body = Json>(url: string, body?: unknown, extras: Extras = {}): Promise<TestReply<Body>> {
    return this.inject({ ...extras, method: 'PATCH', url, body })
  }

  delete<Body = Json>(url: string, extras: Extras = {}): Promise<TestReply<Body>> {
    return this.inject({ ...extras, method: 'DELETE', url })
  }

  async #send<Body>(request: TestRequest): Promise<TestReply<Body>> {
    const method = (request.method ?? 'GET').toUpperCase()
    const { payload, type } = payloadOf(request.body ?? request.payload)
    const headers = { ...type, ...(await this.#authorization()), ...lowerCased(request.headers ?? {}) }
    const crashes = new Map<string, Error>()
    const end = on('request.crash', ({ callId, error }) => void crashes.set(callId, error))
    try {
      // The kinds of payload and the methods that Fastify knows are checked by Fastify.
      const given = { method, url: request.url, headers, ...payload } as InjectOptions
      const reply = await this.#way.inject(given)
      return new TestReply<Body>({
        request: `${method} ${request.url}`,
        status: reply.statusCode,
        headers: headersOf(reply.headers),
        bytes: reply.rawPayload,
        crash: crashes.get(String(reply.headers['x-call-id'])),
      })
    } finally {
      end()
    }
  }

  async #authorization(): Promise<Record<string, string>> {
    const token = await this.#way.token?.()
    return token === undefined ? {} : { authorization: `Bearer ${token}` }
  }
}

/** What is sent, and the Content-Type that it has of itself. */
function payloadOf(body: unknown): { payload: object; type: Record<string, string> } {
  if (body === undefined) return { payload: {}, type: {} }
  if (body instanceof URLSearchParams) return { payload: { payload: body.toString() }, type: form }
  if (isSentAsItIs(body)) return { payload: { payload: body }, type: {} }
  return { payload: { payload: JSON.stringify(body) }, type: json }
}

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const json = { 'content-type': 'application/json' }

function isSentAsItIs(body: unknown): boolean {
  if (typeof body === 'string' || body instanceof Uint8Array || body instanceof FormData) return true
  return typeof body === 'object' && body !== null && 'pipe' in body && typeof body.pipe === 'function'
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function headersOf(headers: Readonly<Record<string, unknown>>): Record<string, string | readonly string[]> {
  const entries = Object.entries(headers).filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? value.map(String) : String(value)]),
  )
}
