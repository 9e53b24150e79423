import type { Duration } from '../core/duration.ts'
import type { All } from '../spec/apis.ts'
import { clientNamed } from './table.ts'

/** The public side of typed clients. Nothing of what makes calls is loaded before the first call. */

/**
 * The clients of a service, `{ login: LoginClient }`, as the generated files `clients/<name>.gen.ts` add them: each under a key of its own, so that services
 * that have a client of the same name can be type-checked together.
 */
// biome-ignore lint/suspicious/noEmptyInterface: generated files add to it.
export interface ClientTypes {}

/** The clients of a service by name. */
export type Clients = object & All<ClientTypes[keyof ClientTypes]>

export interface CallOptions {
  /** How long the whole call may take, tries and pauses included; 0: any time. Default: the client's `timeout`. */
  readonly timeout?: Duration
  /** Ends the call, which rejects with the signal's reason; so does what ends the request it is made in (`currentSignal()`), unless this is false. */
  readonly signal?: AbortSignal | false
  /** More headers; they come before those that Macaron and the configuration set. */
  readonly headers?: Readonly<Record<string, string>>
  /** How many times more an idempotent call is tried. Default: the client's `retries`. */
  readonly retries?: number
  /** The token to send in place of the caller's; `false` sends none. */
  readonly token?: string | false
}

/** A reply with all that came with it. */
export interface ClientReply<Body> {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Models and Dates, as the spec declares them; undefined where it declares no JSON for this status. */
  readonly body: Body
  /** The body as it came. */
  readonly bytes: Uint8Array
}

/**
 * An operation of another service. Takes what its handler takes: the body first, then one object of named parameters, each where the operation
 * has them; options last.
 *
 * Rejects with ClientReplyError for error replies, ClientTimeoutError, ClientConnectionError, ClientBadReplyError, with MacaronError
 * `CLIENT_INVALID_CALL` for arguments that aren't what the spec declares, `TOKEN_EXPIRED` (401) where the caller's token has ended since.
 */
export interface ClientCall<
  Args extends readonly unknown[],
  Body,
  Answer = Body,
  Taken extends readonly unknown[] = Args,
> {
  (...args: readonly [...Args, options?: CallOptions]): Promise<Body>
  /** The same, for the reply with its status and headers. */
  reply(...args: readonly [...Args, options?: CallOptions]): Promise<ClientReply<Body>>
  /** For `fakeClient`: what an answer may be. Never there at run time. */
  readonly [answerType]?: Answer
  /** The same: what the handler gets, with defaults, models and Dates. */
  readonly [takenType]?: Taken
}

declare const answerType: unique symbol
declare const takenType: unique symbol

/**
 * The client of another service (or of one of this service's own APIs): `client('login').getUser({ id: 7 })`. Its operations are named by their
 * operationId, else by method and path: `client('login')['GET /users/{id}']({ id: 7 })`.
 * @throws MacaronError `CLIENT_UNKNOWN` for a name that no spec in `clients/` and no setting has.
 */
export function client<Name extends keyof Clients & string>(name: Name): Clients[Name] {
  // The generated file declares under this name what the spec of this name has.
  return clientNamed(name) as Clients[Name]
}
