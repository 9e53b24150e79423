import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import { MacaronError } from '../../core/errors.ts'
import type { Answer } from '../answer.ts'
import { isErrorModel } from '../error-model.ts'
import type { Exchange } from '../exchange.ts'
import { Reply, type ReplyHeaders } from '../reply.ts'
import type { Route } from '../route.ts'
import { tolerant } from '../unread.ts'

/** Turns what the handler gave into a reply: a status and a body, not yet serialised. An Error that was returned counts as thrown. */
export function shapeReply(exchange: Exchange): undefined {
  const { result, route } = exchange
  if (result instanceof Error) throw result
  exchange.answer = result instanceof Reply ? fromReply(result, route) : fromValue(result, route)
}

function fromValue(value: unknown, route: Route): Answer {
  if (route.knowsErrorModel && isErrorModel(value)) return jsonAnswer(value.status, value, route)
  const nothing = value === undefined
  const status = nothing && route.declaresNoContent ? 204 : route.okStatus
  if (isRaw(value)) return ofDeclaredType({ status, body: value, headers: noHeaders }, route)
  if (route.repliesMedia.of(status).json)
    return jsonAnswer(status, nothing && status !== 204 ? {} : value, route)
  if (status === 204) return jsonAnswer(status, undefined, route)
  return ofDeclaredType({ status, body: value, headers: noHeaders }, route)
}

function fromReply(reply: Reply, route: Route): Answer {
  const { status, body, headers } = reply
  const type = headers['content-type']
  if (type !== undefined) {
    return /[/+]json\b/i.test(String(type)) && !isRaw(body)
      ? { ...jsonAnswer(status, body, route), headers }
      : rawAnswer(reply, String(type))
  }
  const isData = body === undefined || (!isRaw(body) && route.repliesMedia.of(status).json)
  if (!isData) return ofDeclaredType(reply, route)
  const answer = jsonAnswer(status, body, route)
  return { ...answer, headers: { ...answer.headers, ...headers } }
}

type Given = Pick<Reply, 'status' | 'body' | 'headers'>

/** Text, bytes or a stream, of the type that is declared for the status. */
function ofDeclaredType({ status, body, headers }: Given, route: Route): Answer {
  const type = route.repliesMedia.of(status).other ?? 'application/octet-stream'
  const typed: ReplyHeaders = { ...headers, 'content-type': withCharset(type) }
  return rawAnswer({ status, body, headers: typed }, type)
}

function withCharset(type: string): string {
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type
}

function rawAnswer({ status, body, headers }: Given, type: string): Answer {
  const payload = payloadOf(body, type)
  return { status, headers, body, json: false, payload, error: undefined }
}

function payloadOf(body: unknown, type: string): Answer['payload'] {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return body
  // Its reader comes once the tasks of the request are stored; it may fail before.
  if (body instanceof Readable) return tolerant(body)
  if (body instanceof ReadableStream) return tolerant(Readable.fromWeb(body))
  if (typeof body === 'number' || typeof body === 'boolean') return String(body)
  throw new MacaronError('BAD_REPLY', `A reply of type ${type} must be text, bytes or a stream`)
}

/** What is never a JSON value. */
function isRaw(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return value instanceof Uint8Array || value instanceof Readable || value instanceof ReadableStream
}

const noHeaders = {}

function jsonAnswer(status: number, body: unknown, route: Route): Answer {
  const headers = route.repliesMedia.of(status).jsonHeaders
  return { status, headers, body, json: true, payload: undefined, error: undefined }
}
