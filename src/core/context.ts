import { AsyncLocalStorage } from 'node:async_hooks'
import { now } from './clock.ts'
import { MacaronError } from './errors.ts'

/**
 * What code can ask about its caller, in an endpoint, a task or a script: request, user, call id, values, and the scope
 * that collects what it fires. One context belongs to one request or one attempt and is found through AsyncLocalStorage.
 */
export interface Context {
  /** Names this call in every log line and crash report; a task carries the one of the request that fired it. */
  readonly callId: string
  /** The request, or undefined in a script. Built when first asked for. */
  readonly request: RequestSnapshot | undefined
  /** The verified claims of the caller. */
  readonly user: User | undefined
  /** No token has proved the user: it is `default_user_id`, or whom `asUser` or a script named. Left out where one has. */
  readonly assumed?: true | undefined
  /** When the request or attempt began, on the monotonic clock of this process, in ms. Left out where nobody knows. */
  readonly startedAt?: number | undefined
  /** The raw token and when it ends (ms since epoch), where one was presented. */
  readonly token: Token | undefined
  /** W3C `traceparent` of the caller, where one was sent. */
  readonly trace: string | undefined
  /** The `tracestate` beside it. */
  readonly traceState?: string | undefined
  /** What `setContext` has set. Replaced, never changed in place. */
  values: Readonly<Record<string, unknown>>
  /** The running task's id and name, in an attempt. */
  readonly task: RunningTask | undefined
  /** When the caller stops waiting, on the monotonic clock (`performance.now()`); absent where nobody waits. */
  readonly deadline?: number | undefined
  /** Aborts when nobody waits for the result of this any more. Made when first asked for. */
  readonly signal?: AbortSignal | undefined
  readonly scope: Scope
  /** The form in which this context travels, made at the first fire and forgotten by `setContext`. */
  text: string | undefined
}

/** The claims of a verified token. `sub` is the user's id. */
export interface User {
  readonly sub?: string
  readonly [claim: string]: unknown
}

export interface Token {
  readonly raw: string
  readonly expiresAt: number
}

/** The part of a request that travels with its tasks. */
export interface RequestSnapshot {
  readonly method: string
  readonly url: string
  /** The spec's path template, such as `/accounts/{id}`. */
  readonly path: string
  readonly params: Readonly<Record<string, unknown>>
  readonly query: Readonly<Record<string, unknown>>
  /** Only the headers named by `context_headers`; never Authorization or Cookie. */
  readonly headers: Readonly<Record<string, string>>
  readonly ip: string
  readonly userAgent: string | undefined
  /** The caller's first Accept-Language. */
  readonly language: string | undefined
  /** The parsed body where its text is at most 16 KiB. */
  readonly body: unknown
  /** Names whose values are hidden in reports, by the spec: of format password, `writeOnly` or `x-sensitive`. Absent where there are none. */
  readonly sensitive?: readonly string[] | undefined
}

export interface RunningTask {
  readonly id: string
  readonly name: string
  /** 1 for the first run. */
  readonly attempt: number
}

/**
 * Collects what one request or attempt fires until it has succeeded. Opaque here: only `tasks/staging.ts` knows what is staged.
 */
export interface Scope {
  state: 'open' | 'released' | 'dropped'
  readonly staged: unknown[]
  /** About how many characters of text are staged. */
  letters: number
}

const storage = new AsyncLocalStorage<Context>()

/** Runs `fn` with `context` as the current one; what it is to be given needs no function around it. */
export function withContext<T, Args extends unknown[]>(
  context: Context,
  fn: (...args: Args) => T,
  ...args: Args
): T {
  return storage.run(context, fn, ...args)
}

/** The current context, or undefined outside any request, attempt and script scope. */
export function currentContext(): Context | undefined {
  return storage.getStore()
}

/** A context that no request stands behind: a script's, or that of a fire outside of any. */
export function contextOf(callId: string, user?: User): Context {
  return {
    callId,
    request: undefined,
    user,
    ...(user === undefined ? {} : { assumed: true }),
    token: undefined,
    trace: undefined,
    values: {},
    task: undefined,
    scope: openScope(),
    text: undefined,
  }
}

/** A new open scope. */
export function openScope(): Scope {
  return { state: 'open', staged: [], letters: 0 }
}

/** The verified claims of the caller; in a task, of the caller who fired it, as verified then. Undefined for anonymous callers. */
export function currentUser(): User | undefined {
  return storage.getStore()?.user
}

/** The request that is served, or that fired the running task. Undefined outside both. */
export function currentRequest(): RequestSnapshot | undefined {
  return storage.getStore()?.request
}

/** The id that ties together every log line, task and crash report of one request. */
export function currentCallId(): string | undefined {
  return storage.getStore()?.callId
}

/**
 * Aborts when nobody waits for the handler's result any more: its caller has gone, its time is over, or the server stops. For `fetch` and the like; calls of
 * `client()` end with it by themselves. Undefined outside requests.
 */
export function currentSignal(): AbortSignal | undefined {
  return storage.getStore()?.signal
}

/** The running task's id, name and attempt; undefined outside tasks. */
export function currentTask(): RunningTask | undefined {
  return storage.getStore()?.task
}

/**
 * The caller's raw token, for calls to other services on the caller's behalf.
 * @throws MacaronError `TOKEN_EXPIRED` (401) when its time has passed since.
 */
export function currentToken(): string | undefined {
  const token = storage.getStore()?.token
  if (token === undefined) return undefined
  if (token.expiresAt < now()) {
    throw new MacaronError(
      'TOKEN_EXPIRED',
      'The token of the caller has expired since the request was made',
      { status: 401 },
    )
  }
  return token.raw
}

/** A value set with `setContext` in this request, or in the request that fired the running task. */
export function contextValue(key: string): unknown {
  const values = storage.getStore()?.values
  return values !== undefined && Object.hasOwn(values, key) ? values[key] : undefined
}

/**
 * Sets values that travel with every task fired from here on.
 * @throws MacaronError `NO_CONTEXT` outside a request, task or script scope.
 */
export function setContext(values: Readonly<Record<string, unknown>>): void {
  const context = storage.getStore()
  if (context === undefined) {
    throw new MacaronError(
      'NO_CONTEXT',
      'setContext was called outside a request, a task and a script scope; call it inside one',
    )
  }
  context.values = { ...context.values, ...values }
  context.text = undefined
}
