import {
  type Context,
  openScope,
  type RequestSnapshot,
  type Scope,
  type Token,
  type User,
} from '../core/context.ts'
import type { Exchange } from './exchange.ts'
import { snapshotOf } from './snapshot.ts'
import { traceOf } from './trace.ts'

/** The context of one request. Cheap to make: the snapshot is built when a task is fired or somebody asks. */
export class RequestContext implements Context {
  readonly callId: string
  readonly startedAt: number
  readonly assumed: true | undefined
  readonly user: User | undefined
  readonly token: Token | undefined
  readonly trace: string | undefined
  readonly traceState: string | undefined
  readonly task = undefined
  readonly deadline: number | undefined
  readonly scope: Scope = openScope()
  values: Readonly<Record<string, unknown>> = noValues
  text: string | undefined = undefined
  readonly #exchange: Exchange
  readonly #headers: readonly string[]
  #request: RequestSnapshot | undefined = undefined

  constructor(exchange: Exchange, { headers, defaultUser, timeoutMs = 0 }: RequestContextOptions) {
    this.callId = exchange.callId
    this.startedAt = exchange.startedAt
    this.user = exchange.verified?.user ?? defaultUser
    this.assumed = exchange.verified === undefined && defaultUser !== undefined ? true : undefined
    this.token = exchange.verified?.token
    const { trace, traceState } = traceOf(exchange.request.raw.headers)
    this.trace = trace
    this.traceState = traceState
    this.deadline = timeoutMs === 0 ? undefined : exchange.calledAt + timeoutMs
    this.#exchange = exchange
    this.#headers = headers
  }

  get request(): RequestSnapshot {
    this.#request ??= snapshotOf(this.#exchange, this.#headers)
    return this.#request
  }

  get signal(): AbortSignal {
    return this.#exchange.signal
  }
}

export interface RequestContextOptions {
  /** The names of the headers that travel. */
  readonly headers: readonly string[]
  /** Who callers without a token are. */
  readonly defaultUser: User | undefined
  /** How long a handler may take; 0, the default: any time. */
  readonly timeoutMs?: number | undefined
}

const noValues: Readonly<Record<string, unknown>> = Object.freeze({})
