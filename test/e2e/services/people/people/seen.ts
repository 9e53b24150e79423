import { contextValue, currentCallId, currentRequest, currentToken, currentUser } from 'macaron'
import { Address } from '../apis/people.gen.ts'

/** All that code can ask about its caller, as plain data. */
export function seen(): object {
  const since = contextValue('since')
  const tags = contextValue('tags')
  const home = contextValue('home')
  return {
    callId: currentCallId(),
    user: currentUser(),
    request: currentRequest(),
    token: token(),
    values: {
      plan: contextValue('plan'),
      since: since instanceof Date ? since.toISOString() : typeof since,
      tags: tags instanceof Set ? [...tags] : typeof tags,
      home: home instanceof Address ? home.city : typeof home,
    },
  }
}

function token(): string {
  try {
    return currentToken() ?? 'none'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  }
}
