import { presentedToken } from '../../auth/credentials.ts'
import type { Tokens } from '../../auth/tokens.ts'
import { SetupError } from '../../core/errors.ts'
import type { Route } from '../route.ts'
import type { Stage } from './stage.ts'

/**
 * Verifies the caller's token where the operation asks for one, before anything of the body is read. Elsewhere tokens are not looked at, so
 * an expired one doesn't keep a caller from logging in.
 */
export function authenticate(tokens: Pick<Tokens, 'verify'> | undefined): Stage {
  return function authenticateExchange(exchange) {
    if (!exchange.route.operation.authenticated) return undefined
    if (tokens === undefined) throw missingTokens(exchange.route)
    const verified = tokens.verify(presentedToken(exchange.request.raw.headers))
    if (verified instanceof Promise) {
      return verified.then((later) => {
        exchange.verified = later
      })
    }
    exchange.verified = verified
    return undefined
  }
}

/** The fault of a service with an authenticated operation and no secret; found at start. */
export function missingTokens(route: Route): SetupError {
  const { file } = route.operation.place
  return new SetupError('JWT_SECRET_MISSING', [
    { file, message: `${route.label} needs a token, but no jwt_secret is configured to verify it with` },
  ])
}
