import { asError, MacaronError } from '../../core/errors.ts'
import type { Exchange } from '../exchange.ts'
import { known } from '../known.ts'

/** Makes the reply's text, before the scope is released: a reply that can't be written must not store tasks. */
export function serialise(exchange: Exchange): undefined {
  const answer = known(exchange.answer)
  if (answer.json && answer.body !== undefined) answer.payload = textOf(answer.body)
}

function textOf(body: unknown): string {
  const text = stringified(body)
  if (typeof text === 'string') return text
  throw new MacaronError('BAD_RESPONSE', `The reply has no form in JSON: it is a ${typeof body}`)
}

function stringified(body: unknown): string | undefined {
  try {
    return JSON.stringify(body)
  } catch (cause) {
    throw new MacaronError('BAD_RESPONSE', `The reply can't be written as JSON: ${asError(cause).message}`, {
      cause,
    })
  }
}
