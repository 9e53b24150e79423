import { MacaronError } from '../../core/errors.ts'
import type { Answer } from '../answer.ts'
import { isErrorModel } from '../error-model.ts'
import type { Exchange } from '../exchange.ts'
import { Reply } from '../reply.ts'
import type { Route } from '../route.ts'

/** Turns what the handler gave into a reply: a status and a body, not yet serialised. An Error that was returned counts as thrown. */
export function shapeReply(exchange: Exchange): undefined {
  const { result, route } = exchange
  if (result instanceof Error) throw result
  exchange.answer = result instanceof Reply ? fromReply(result) : fromValue(result, route)
}

function fromValue(value: unknown, route: Route): Answer {
  if (route.knowsErrorModel && isErrorModel(value)) return jsonAnswer(value.status, value)
  const nothing = value === undefined
  const status = nothing && route.declaresNoContent ? 204 : route.okStatus
  return jsonAnswer(status, nothing && status !== 204 ? {} : value)
}

function fromReply({ status, body, headers }: Reply): Answer {
  const type = headers['content-type']
  if (type === undefined || String(type).includes('json')) return { ...jsonAnswer(status, body), headers }
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    return { status, headers, body, json: false, payload: body, error: undefined }
  }
  throw new MacaronError('BAD_REPLY', `A reply of type ${String(type)} must be text or bytes`)
}

const noHeaders = {}

function jsonAnswer(status: number, body: unknown): Answer {
  return { status, headers: noHeaders, body, json: true, payload: undefined, error: undefined }
}
