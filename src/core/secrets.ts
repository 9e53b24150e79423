import { asError } from './errors.ts'

/**
 * Keeps secrets out of logs: what stands under a telling name is hidden at any depth, and what looks like a token wherever it stands.
 */

/** What is shown instead. */
const hidden = '[hidden]'

/** Names that end in one of these words, such as `accessToken`, `Set-Cookie`, `jwt_secret`. Nobody can list what headers hold. */
const secretName =
  /(?:token|secret|password|passwd|passphrase|cookies?|authorization|credentials?|(?:api|private|seal)[-_]?keys?|jwt|headers)$/i

/** A copy of a log line's fields, as JSON would show them, without secrets. Never throws. */
export function withoutSecrets(fields: object): Record<string, unknown> {
  try {
    return copy(fields, 0)
  } catch (error) {
    return { unreadable: `These fields could not be read: ${asError(error).message}` }
  }
}

/** A text with what looks like a JWT, a bearer token or a secret in a query string hidden. */
export function withoutTokens(text: string): string {
  return text
    .replace(/(?<![\w-])eyJ[\w-]{10,}\.[\w-]+\.[\w-]*/g, hidden)
    .replace(/\b(bearer\s+)[\w.~+/-]{8,}=*/gi, `$1${hidden}`)
    .replace(/([?&][\w.-]*(?:token|secret|password|api[-_]?key|jwt)=)[^&\s"\\]+/gi, `$1${hidden}`)
}

function copy(object: object, depth: number): Record<string, unknown> {
  const entries = Object.entries(object).map(([key, value]) => [key, shown(key, value, depth + 1)])
  return Object.fromEntries(entries)
}

function shown(key: string, value: unknown, depth: number): unknown {
  if (value === null || typeof value === 'boolean' || value === undefined) return value
  if (secretName.test(key)) return hidden
  return typeof value === 'object' ? shownObject(value, depth) : value
}

/** Deeper than anyone reads; cycles end here too. */
const deepest = 6

function shownObject(value: object, depth: number): unknown {
  if (depth > deepest) return '[deeper]'
  if ('toJSON' in value && typeof value.toJSON === 'function') return shown('', value.toJSON(), depth + 1)
  if (Array.isArray(value)) return value.map((item) => shown('', item, depth + 1))
  if (!Error.isError(value)) return copy(value, depth)
  const { name, message, stack, cause } = value
  const why = cause === undefined ? {} : { cause: shown('cause', cause, depth + 1) }
  return { type: name, message, stack, ...copy(value, depth), ...why }
}
