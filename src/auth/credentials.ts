import { RequestError } from '../core/errors.ts'

/**
 * Where a request carries its token, as in PyMacaron: `Authorization: Bearer <token>` (any case), else the cookie `token`, URL-encoded,
 * which holds the same text or the token alone.
 */

/** The headers that can carry a token; Node's own fit. */
export interface CredentialHeaders {
  readonly authorization?: string | undefined
  readonly cookie?: string | undefined
}

/**
 * The token that a request presents, unverified.
 * @throws RequestError 401 `AUTHORIZATION_HEADER_MISSING` where there is none, `TOKEN_INVALID` where it can't be read.
 */
export function presentedToken(headers: CredentialHeaders): string {
  if (headers.authorization) return bearerOf(headers.authorization)
  const cookie = cookieValue(headers.cookie ?? '', 'token')
  if (cookie) return cookieToken(cookie)
  throw new RequestError(
    'AUTHORIZATION_HEADER_MISSING',
    'This operation needs a token: send the header "Authorization: Bearer <token>"',
    { status: 401 },
  )
}

function bearerOf(header: string): string {
  const [scheme, token, ...rest] = header.trim().split(/\s+/)
  if (scheme?.toLowerCase() !== 'bearer') throw unreadable('must start with "Bearer"')
  if (token === undefined) throw unreadable('holds no token after "Bearer"')
  if (rest.length > 0) throw unreadable('must be "Bearer", one space and the token, nothing else')
  return token
}

function cookieToken(encoded: string): string {
  const text = urlDecoded(encoded).trim()
  return /\s/.test(text) ? bearerOf(text) : text
}

function urlDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw new RequestError('TOKEN_INVALID', 'The cookie "token" is not URL-encoded', { status: 401, cause })
  }
}

function cookieValue(header: string, name: string): string | undefined {
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    if (equals !== -1 && pair.slice(0, equals).trim() === name) return unquoted(pair.slice(equals + 1).trim())
  }
  return undefined
}

function unquoted(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
}

function unreadable(what: string): RequestError {
  return new RequestError('TOKEN_INVALID', `The Authorization header ${what}`, { status: 401 })
}
