import { MacaronError } from '../core/errors.ts'
import type { OperationChecks } from '../spec/api.ts'
import type { ClientCall, Clients } from './client.ts'
import { rawOf } from './fake-request.ts'
import type { ClientOperation } from './operations.ts'
import { setFake } from './table.ts'
import type { Send, WireReply, WireRequest } from './wire.ts'

/**
 * Answers the calls of a client in a test, in place of the network. A request is written, read again and checked by the spec as the other service would,
 * and the answer as the client does: what the spec does not allow fails the test.
 */

/** What answers an operation: takes what its handler takes, gives what its handler gives, or throws a MacaronError for an error reply. */
export type FakeAnswer<Call> =
  Call extends ClientCall<infer _Sent, infer Body, infer Answer, infer Taken>
    ? (...args: Taken) => Body | Answer | FakeReply | Promise<Body | Answer | FakeReply>
    : never

/** Answers by operation. */
export type FakeAnswers<Client> = { readonly [Operation in keyof Client]?: FakeAnswer<Client[Operation]> }

/** An answer with a status of its own, such as `reply()` makes. */
export interface FakeReply {
  readonly status: number
  readonly body: unknown
  readonly headers: Readonly<Record<string, string | readonly string[]>>
}

/** A call that a fake has answered. */
export interface FakeCall {
  readonly operation: string
  /** As the other service's handler would get them: models, Dates, defaults. */
  readonly body: unknown
  readonly parameters: Readonly<Record<string, unknown>>
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

/** A fake in place; `using` or `restore()` takes it away again. */
export interface FakedClient extends Disposable {
  /** Every call so far, in order. */
  readonly calls: readonly FakeCall[]
  restore(): void
}

/**
 * Answers the calls of `client(name)` with these functions until it is restored. Operations without an answer fail with `CLIENT_NOT_FAKED`.
 * The handlers of the other service themselves may be given.
 */
export function fakeClient<Name extends keyof Clients & string>(
  name: Name,
  answers: FakeAnswers<Clients[Name]>,
): FakedClient {
  // Functions by operation name, whatever their types.
  const fake = new Fake(name, answers as Readonly<Record<string, AnyAnswer | undefined>>)
  const before = setFake(name, fake)
  const restore = () => void setFake(name, before)
  return { calls: fake.calls, restore, [Symbol.dispose]: restore }
}

/** What the calls of a client are answered with. */
export interface Answering {
  send(operation: ClientOperation): Send
}

type AnyAnswer = (...args: readonly unknown[]) => unknown

class Fake implements Answering {
  readonly calls: FakeCall[] = []
  readonly #client: string
  readonly #answers: Readonly<Record<string, AnyAnswer | undefined>>

  constructor(client: string, answers: Readonly<Record<string, AnyAnswer | undefined>>) {
    this.#client = client
    this.#answers = answers
  }

  send(operation: ClientOperation): Send {
    const { names } = operation
    const answer = Object.hasOwn(this.#answers, names.operation) ? this.#answers[names.operation] : undefined
    if (answer === undefined) {
      throw new MacaronError(
        'CLIENT_NOT_FAKED',
        `${this.#client}: ${names.operation} was called, and fakeClient('${this.#client}') has no answer for it`,
      )
    }
    return (request, { signal }) => orAborted(this.#answer(operation, request, answer), signal)
  }

  async #answer(operation: ClientOperation, request: WireRequest, answer: AnyAnswer): Promise<WireReply> {
    const read = operation.checks.request(await rawOf(operation, request))
    if ('faults' in read)
      return errorReplyOf(new MacaronError('INVALID_PARAMETER', wordsOf(read), { status: 400 }))
    const { body, named } = read.decoded
    this.calls.push({
      operation: operation.names.operation,
      body,
      parameters: named,
      headers: request.headers,
    })
    // As servers call handlers.
    const args = operation.takesBody ? [body, named] : [named]
    try {
      return replyOf(operation, await answer(...args))
    } catch (error) {
      if (error instanceof MacaronError) return errorReplyOf(error)
      throw error
    }
  }
}

type Refused = Extract<ReturnType<OperationChecks['request']>, { readonly faults: unknown }>

function wordsOf({ faults }: Refused): string {
  return faults.map(({ path, message }) => `${path} ${message}`).join('; ')
}

function replyOf(operation: ClientOperation, given: unknown): WireReply {
  return wireOf(isReply(given) ? given : { status: okStatusOf(operation, given), headers: {}, body: given })
}

/** The status of an answer that names none, as servers have it: 200, unless a single other 2xx is declared. */
function okStatusOf({ operation }: ClientOperation, body: unknown): number {
  const declared = Object.keys(operation.replies).filter((status) => /^2\d\d$/.test(status))
  if (body === undefined && declared.includes('204')) return 204
  const bodied = declared.filter((status) => status !== '204')
  return bodied.length === 1 ? Number(bodied[0]) : 200
}

function isReply(given: unknown): given is FakeReply {
  return (
    typeof given === 'object' &&
    given !== null &&
    Object.keys(given).length === 3 &&
    'status' in given &&
    'body' in given &&
    'headers' in given
  )
}

/** PyMacaron's error JSON, as a Macaron service answers. */
function errorReplyOf({ status, code, message, userMessage }: MacaronError): WireReply {
  const body = {
    status,
    error: code,
    error_description: message,
    user_message: userMessage,
    error_id: crypto.randomUUID(),
  }
  return wireOf({ status, headers: {}, body })
}

function wireOf({ status, headers, body }: FakeReply): WireReply {
  const text = body === undefined ? '' : JSON.stringify(body)
  const listed = Object.entries(headers).map(([name, value]) => [
    name.toLowerCase(),
    Array.isArray(value) ? value.join(', ') : value,
  ])
  return {
    status,
    headers: { 'content-type': 'application/json', ...Object.fromEntries(listed) },
    body: Buffer.from(text),
  }
}

/** An answer that never comes is given up when the call's time is over. */
async function orAborted(reply: Promise<WireReply>, signal: AbortSignal): Promise<WireReply> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([reply, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
