/**
 * Path templates of a spec (`/accounts/{account-id}:cancel`) in the words of Fastify's router. Parameters get names of our own, since the
 * router can't take every name, and are written as regular expressions, since otherwise it reads a colon after one as part of its name.
 */
export interface Template {
  /** The path as the router takes it. */
  readonly pattern: string
  /** The spec's names of the router's `p0`, `p1`, … */
  readonly names: readonly string[]
  /** Matches the (URI-decoded) paths of this template; for telling which methods a path knows. */
  readonly regex: RegExp
  /** Characters that are not parameters: the more, the more special the path is. */
  readonly literals: number
}

/** Translates the path of an operation. */
export function templateOf(path: string): Template {
  const pieces = path.split(/\{([^{}]+)\}/)
  const names = pieces.filter((_, index) => index % 2 === 1)
  const pattern = pieces.map((piece, index) =>
    index % 2 === 1 ? `:p${(index - 1) / 2}([\\s\\S]+?)` : fixed(piece),
  )
  const regex = pieces.map((piece, index) => (index % 2 === 1 ? '[^/]+' : escaped(decoded(piece))))
  const literals = pieces.reduce((sum, piece, index) => sum + (index % 2 === 1 ? 0 : piece.length), 0)
  return { pattern: pattern.join(''), names, regex: new RegExp(`^${regex.join('')}$`), literals }
}

/** The parameters by the spec's names. */
export function namedParams(template: Template, found: unknown): Readonly<Record<string, string>> {
  if (template.names.length === 0) return noParams
  // The router gives an object with exactly the parameters of the pattern.
  const values = found as Readonly<Record<string, string>>
  const params: Record<string, string> = {}
  for (const [index, name] of template.names.entries()) params[name] = values[`p${index}`] ?? ''
  return params
}

const noParams: Readonly<Record<string, string>> = Object.freeze({})

/** A literal part: the router compares decoded paths, doubles colons, and knows the star only as a wildcard. */
function fixed(text: string): string {
  return decoded(text).replaceAll(':', '::').replaceAll('*', ':star(\\*)')
}

function decoded(text: string): string {
  try {
    return decodeURI(text)
  } catch {
    // Not percent-encoded: a literal percent sign.
    return text
  }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
