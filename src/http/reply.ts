import { asError, MacaronError } from '../core/errors.ts'
import { validateHeaderName, validateHeaderValue } from '../core/node-http.ts'
import type { BodyOf, declaredReplies, OwnReply } from '../spec/result.ts'

/** Headers of a reply; several values become several lines. */
export type ReplyHeaders = Readonly<Record<string, string | readonly string[]>>

/** A reply with a status and headers of its own; what `reply()` makes. */
export class Reply<Status extends number = number, Body = unknown, Replies = never>
  implements OwnReply<Status, Body, Replies>
{
  readonly status: Status
  readonly body: Body
  /** Names in lower case. */
  readonly headers: ReplyHeaders
  declare readonly [declaredReplies]?: (replies: Replies) => void

  /** @throws MacaronError `BAD_REPLY`. */
  constructor(status: Status, body: Body, headers: ReplyHeaders = {}) {
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw badReply(`the status must be a whole number from 200 to 599, not ${String(status)}`)
    }
    this.status = status
    this.body = body
    this.headers = checked(headers)
  }
}

/**
 * A reply with a status and headers of its own, to be returned by a handler. The body is sent as JSON, unless it is bytes or a stream, or the spec or
 * `headers` give another `content-type`: then it must be text, bytes or a stream. With a status of 400 or more what the handler has fired is dropped.
 *
 * Returned by a handler of a generated type, the body's type is the one that its operation declares for the status.
 * @throws MacaronError `BAD_REPLY`.
 */
export function reply<Replies, Status extends number>(status: Status): Reply<Status, undefined, Replies>
export function reply<Replies, Status extends number, Body extends BodyOf<Replies, Status>>(
  status: Status,
  body: Body,
  headers?: ReplyHeaders,
): Reply<Status, Body, Replies>
export function reply(status: number, body?: unknown, headers?: ReplyHeaders): Reply {
  return new Reply(status, body, headers)
}

function checked(headers: ReplyHeaders): ReplyHeaders {
  const entries = Object.entries(headers).map(([name, value]) => [
    checkedName(name),
    checkedValue(name, value),
  ])
  // What is checked stays as it is: a reply that turns out to be unsendable once its tasks are stored could only be cut off.
  return Object.freeze(Object.fromEntries(entries))
}

function checkedName(name: string): string {
  const lower = name.toLowerCase()
  if (ownHeaders.has(lower)) throw badReply(`the header ${name} is set by the server itself`)
  orBadReply(() => validateHeaderName(lower))
  return lower
}

function checkedValue(name: string, value: string | readonly string[]): string | readonly string[] {
  const values = Array.isArray(value) ? value : [value]
  for (const one of values) orBadReply(() => validateHeaderValue(name, one))
  return Array.isArray(value) ? Object.freeze([...value]) : value
}

/** What frames the message is the server's; a wrong one would break the connection for the requests behind. */
const ownHeaders = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'trailer',
  'upgrade',
])

function orBadReply(check: () => void): void {
  try {
    check()
  } catch (error) {
    throw badReply(asError(error).message)
  }
}

function badReply(what: string): MacaronError {
  return new MacaronError('BAD_REPLY', `reply() was called with what can't be sent: ${what}`)
}
