import { Tokens } from './auth/tokens.ts'
import type { Config } from './config.ts'
import { MacaronError, StoreError } from './core/errors.ts'
import { jwtSecret } from './keys.ts'

/**
 * The verifier of a service's tokens. A secret that has to be made waits for the folder it is kept in: until then tokens are answered with 503
 * `KEY_UNAVAILABLE`. Every other fault of the secret is thrown here.
 */
export function verifierOf(config: Config): Pick<Tokens, 'verify'> {
  let tokens: Tokens | undefined
  const known = () => {
    tokens ??= tokensOf(config)
    return tokens
  }
  try {
    known()
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
  }
  return {
    verify: (raw) => {
      try {
        return known().verify(raw)
      } catch (error) {
        throw error instanceof StoreError ? keyUnavailable(error) : error
      }
    },
  }
}

function keyUnavailable(cause: StoreError): MacaronError {
  const text = `The key that tokens are verified with can't be read or made now (${cause.code}). Try again in a moment.`
  return new MacaronError('KEY_UNAVAILABLE', text, { status: 503, cause })
}

/** The verifier and signer of a service's tokens. */
export function tokensOf(config: Config): Tokens {
  return new Tokens({ secret: jwtSecret(config), issuer: config.jwt_issuer, audience: config.jwt_audience })
}
