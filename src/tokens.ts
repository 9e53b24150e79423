import { type SignOptions, Tokens } from './auth/tokens.ts'
import { type Config, currentConfig } from './config.ts'
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

const made = new WeakMap<Config, Tokens>()

/** The verifier and signer of a service's tokens. */
export function tokensOf(config: Config): Tokens {
  const tokens = made.get(config) ?? makeTokens(config)
  made.set(config, tokens)
  return tokens
}

function makeTokens(config: Config): Tokens {
  return new Tokens({ secret: jwtSecret(config), issuer: config.jwt_issuer, audience: config.jwt_audience })
}

/**
 * A token of this service for a user, signed with `jwt_secret` and with `jwt_issuer` and `jwt_audience` unless others are given. PyMacaron's
 * `generate_token`.
 * @throws MacaronError `BAD_TOKEN_OPTIONS`, `NO_SERVICE`; SetupError `JWT_SECRET_MISSING`.
 */
export async function generateToken(options: SignOptions): Promise<string> {
  return await tokensOf(currentConfig('generateToken()')).sign(options)
}
