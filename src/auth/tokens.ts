import type { webcrypto } from 'node:crypto'
import type { errors as JoseErrors } from 'jose'
import { now } from '../core/clock.ts'
import type { Token, User } from '../core/context.ts'
import { MacaronError, RequestError } from '../core/errors.ts'
import { TokenCache } from './token-cache.ts'

/**
 * Signs and verifies the service's JWTs: HS256 with one secret, as PyMacaron does (leeway 300 s, audience and issuer checked). A verified
 * token is remembered for a minute, so a busy caller costs a look-up instead of a signature. Tokens never appear in messages.
 */
export interface TokensOptions {
  /** At least 32 bytes in UTF-8. */
  readonly secret: string
  /** Checked where given; also the default of `sign`. */
  readonly issuer?: string | undefined
  /** Checked where given, and a token made for another audience is refused where not; also the default of `sign`. */
  readonly audience?: string | undefined
  /** How far clocks may differ. Default 300. */
  readonly leewaySeconds?: number | undefined
  /** How many verified tokens are remembered. Default 5000. */
  readonly cacheSize?: number | undefined
}

export interface SignOptions {
  /** Becomes `sub`. */
  readonly userId: string
  /** Seconds from `iat` to `exp`. Default 86,400 (a day). */
  readonly expiresIn?: number
  /** More claims; can't replace `sub`, `iat` and `exp`. */
  readonly data?: Readonly<Record<string, unknown>>
  readonly issuer?: string
  readonly audience?: string
  /** Seconds since epoch. Default now. */
  readonly iat?: number
}

/** Who a token speaks for, and the token as it travels with tasks. Frozen: it is shared by all requests with this token. */
export interface VerifiedToken {
  readonly user: User
  readonly token: Token
}

export class Tokens {
  readonly #key: Promise<webcrypto.CryptoKey>
  readonly #issuer: string | undefined
  readonly #audience: string | undefined
  readonly #leeway: number
  readonly #cache: TokenCache<VerifiedToken>

  /** @throws MacaronError `JWT_SECRET_TOO_SHORT`. */
  constructor(options: TokensOptions) {
    this.#key = keyOf(options.secret)
    this.#issuer = options.issuer
    this.#audience = options.audience
    this.#leeway = options.leewaySeconds ?? 300
    this.#cache = new TokenCache(options.cacheSize ?? 5000)
  }

  /**
   * Verifies a token; answers at once for one seen within the last minute.
   * @throws RequestError 401 `TOKEN_INVALID` or `TOKEN_EXPIRED` (rejection, or thrown).
   */
  verify(raw: string): VerifiedToken | Promise<VerifiedToken> {
    return this.#cache.get(raw) ?? this.#verifyNow(raw)
  }

  /** A new token. @throws MacaronError `BAD_TOKEN_OPTIONS`. */
  async sign(options: SignOptions): Promise<string> {
    const claims = this.#claimsOf(options)
    const { SignJWT } = await jose()
    try {
      return await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(await this.#key)
    } catch (cause) {
      throw new MacaronError('BAD_TOKEN_OPTIONS', 'The data of a token must be plain JSON', { cause })
    }
  }

  async #verifyNow(raw: string): Promise<VerifiedToken> {
    const claims = await this.#checkedClaims(raw)
    const expiresAt = claims.exp === undefined ? Number.MAX_SAFE_INTEGER : (claims.exp + this.#leeway) * 1000
    const verified = deepFreeze({ user: claims, token: { raw, expiresAt } })
    this.#cache.set(raw, verified, Math.min(expiresAt, now() + rememberedMs))
    return verified
  }

  async #checkedClaims(raw: string): Promise<User & { exp?: number }> {
    // Before any cryptography: headers this long come from nobody honest.
    if (raw.length > longestToken) throw invalid('is too long')
    const { jwtVerify, errors } = await jose()
    const { payload } = await jwtVerify(raw, await this.#key, this.#demands()).catch((error: unknown) => {
      throw refusal(error, errors)
    })
    const { sub, iat, aud } = payload
    if (sub !== undefined && typeof sub !== 'string') throw invalid('has a "sub" that is no text')
    if (iat !== undefined && iat > now() / 1000 + this.#leeway) throw invalid('was issued in the future')
    if (aud !== undefined && this.#audience === undefined) throw invalid('is for another audience')
    return payload
  }

  #demands() {
    return {
      algorithms: ['HS256'],
      clockTolerance: this.#leeway,
      currentDate: new Date(now()),
      ...defined({ issuer: this.#issuer, audience: this.#audience }),
    }
  }

  #claimsOf({ userId, expiresIn = 86_400, data, issuer, audience, iat }: SignOptions) {
    const issuedAt = iat ?? Math.floor(now() / 1000)
    if (typeof userId !== 'string' || userId === '') throw badOption('userId', 'text that is not empty')
    if (!Number.isFinite(expiresIn)) throw badOption('expiresIn', 'a number of seconds')
    if (!Number.isFinite(issuedAt)) throw badOption('iat', 'seconds since epoch')
    const iss = issuer ?? this.#issuer
    const aud = audience ?? this.#audience
    return { ...data, ...defined({ iss, aud }), sub: userId, iat: issuedAt, exp: issuedAt + expiresIn }
  }
}

/** Loaded with the first token and not above: whoever imports `macaron` would load its fifty modules, executors too. */
function jose(): Promise<typeof import('jose')> {
  return import('jose')
}

const rememberedMs = 60_000
const longestToken = 8192
const shortestSecretBytes = 32

function keyOf(secret: string): Promise<webcrypto.CryptoKey> {
  const bytes = Buffer.from(secret, 'utf8')
  if (bytes.length < shortestSecretBytes) {
    throw new MacaronError(
      'JWT_SECRET_TOO_SHORT',
      `The JWT secret has ${bytes.length} bytes; it needs at least ${shortestSecretBytes} (try: openssl rand -base64 48)`,
    )
  }
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
}

function refusal(error: unknown, errors: typeof JoseErrors): RequestError {
  if (error instanceof errors.JWTExpired) {
    return new RequestError('TOKEN_EXPIRED', 'The token has expired: ask for a new one', {
      status: 401,
      cause: error,
    })
  }
  if (error instanceof errors.JWTClaimValidationFailed) return invalid(`has a wrong "${error.claim}"`, error)
  if (error instanceof errors.JOSEAlgNotAllowed) return invalid('is not signed with HS256', error)
  if (error instanceof errors.JWSSignatureVerificationFailed) return invalid('has a wrong signature', error)
  return invalid('is no JWT of this service', error)
}

function invalid(what: string, cause?: unknown): RequestError {
  return new RequestError('TOKEN_INVALID', `The token ${what}`, {
    status: 401,
    ...(cause === undefined ? {} : { cause }),
  })
}

function badOption(name: string, expected: string): MacaronError {
  return new MacaronError('BAD_TOKEN_OPTIONS', `${name} must be ${expected}`)
}

/** Without the keys that are undefined: `exactOptionalPropertyTypes` and jose tell "absent" from "undefined". */
function defined<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  // Object.entries loses the types of the values; the filter takes away nothing but undefined.
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner)
    Object.freeze(value)
  }
  return value
}
