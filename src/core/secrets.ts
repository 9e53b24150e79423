/**
 * What is kept out of logs and reports: what stands under a telling name, and what looks like a token wherever it stands.
 */

/** What is shown instead. */
export const hidden = '[hidden]'

/**
 * The names of secrets, for logs, reports, URLs and messages alike: words that tell wherever they stand in a name (`passwordRepeat`, `X-Api-Key`), those that tell at
 * its end (`accessToken`, `Set-Cookie`), and those that tell alone. Nobody can list what `headers` hold.
 */
const secretName = new RegExp(
  [
    'pass(?:word|wd|phrase|code|key)|secret(?!ar)|authori[sz]ation|credential|cvv|cvc|(?:api|private|seal)[-_]?key',
    '(?:tokens?|cookies?|jwt|headers|pwd|session[-_]?id)\\d*$|token[-_]?(?:value|hash)',
    '^(?:pass|pin|otp)\\d*$',
  ].join('|'),
  'i',
)

/** Tells whether what stands under a name is a secret. */
export type IsSecret = (name: string) => boolean

/** Whether a name is telling by itself. */
export function isSecretName(name: string): boolean {
  return secretName.test(name)
}

/** A text with what looks like a JWT, a bearer token or a secret in a query string hidden. */
export function withoutTokens(text: string, isSecret: IsSecret = isSecretName): string {
  return text
    .replace(/(?<![\w-])eyJ[\w-]{10,}\.[\w-]+\.[\w-]*/g, hidden)
    .replace(/\b(bearer\s+)[\w.~+/-]{8,}=*/gi, `$1${hidden}`)
    .replace(/([?&]([^?&=\s"\\]{1,200})=)[^&\s"\\]+/g, (whole, before: string, name: string) =>
      namesIn(name).some(isSecret) ? `${before}${hidden}` : whole,
    )
}

/** A parameter's name, and of `filter[password]` each of its parts. */
export function namesIn(encoded: string): readonly string[] {
  return decoded(encoded).split(/[[\].]+/)
}

/** Whether a parameter's value is an object with a secret in it, as JSON at any depth or in one of OpenAPI's forms (`color,red,password,x`). */
export function holdsSecret(encoded: string, isSecret: IsSecret): boolean {
  const text = decoded(encoded.replaceAll('+', ' '))
  const keys = text.matchAll(/"((?:[^"\\]|\\.){1,200})"\s*:/g)
  if ([...keys].some(([, key = '']) => isSecret(unescaped(key)))) return true
  const items = text.split(/[,| \t]/)
  return items.some((name, index) => index % 2 === 0 && index + 1 < items.length && isSecret(name))
}

/** A name may be written in JSON as it is read by nobody. */
function unescaped(key: string): string {
  return key.replace(/\\u([0-9a-f]{4})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
}

/** What can't be decoded as a whole tells its plain letters all the same. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text.replace(/%([0-7][0-9a-f])/gi, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    )
  }
}
