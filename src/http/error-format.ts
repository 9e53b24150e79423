import { asError, MacaronError } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import { show } from '../core/show.ts'
import type { Answer } from './answer.ts'
import { type ErrorBody, type ErrorFacts, errorAnswer, errorBody } from './errors.ts'
import { Reply } from './reply.ts'

/**
 * Gives error replies a form of the service's own: any JSON value, or `reply(status, body, headers)` with a status from 400 on. `error` is what was
 * really thrown; nothing of it reaches the caller unless it is put there. PyMacaron's `error_callback`.
 */
export type ErrorFormat = (body: ErrorBody, error: Error) => unknown

/** The reply of a failure. Where the format throws, or gives what is no error reply, that is logged and the caller gets the usual one. */
export function errorReply(facts: ErrorFacts, format: ErrorFormat | undefined): Answer {
  if (format === undefined) return errorAnswer(facts)
  try {
    return formatted(facts, format(errorBody(facts), facts.error))
  } catch (error) {
    emit('notice', { message: `errorFormat can't be used: ${show(asError(error).message)}` })
    return errorAnswer(facts)
  }
}

function formatted(facts: ErrorFacts, result: unknown): Answer {
  if (!(result instanceof Reply)) return { ...errorAnswer(facts), body: result, payload: textOf(result) }
  const { status, body } = result
  if (status < 400) throw unfit(`a reply with status ${status}, which is no error`)
  const headers = { ...facts.headers, ...result.headers }
  const type = headers['content-type']
  const asIs = type !== undefined && !String(type).includes('json') && typeof body === 'string'
  const payload = asIs ? body : textOf(body)
  return { status, headers, body, json: !asIs, payload, error: facts.code }
}

function textOf(body: unknown): string {
  if (body instanceof Promise) throw unfit('a promise; it must not wait for anything')
  const text: unknown = JSON.stringify(body)
  if (typeof text === 'string') return text
  throw unfit(`a value of type ${typeof body}, which has no form in JSON`)
}

function unfit(what: string): MacaronError {
  return new MacaronError('BAD_ERROR_FORMAT', `it gave ${what}`)
}
