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
  const literals = pieces.filter((_, index) => index % 2 === 0)
  const params = names.map((_, index) => ({ index, after: decoded(literals[index + 1] ?? ''), names }))
  const pattern = params.map(
    (param) => `:p${param.index}(${capture(param, '[\\s\\S]')})${fixed(param.after)}`,
  )
  const regex = params.map((param) => capture(param, '[^/]') + escaped(param.after))
  const first = decoded(literals[0] ?? '')
  return {
    pattern: fixed(first) + pattern.join(''),
    names,
    regex: new RegExp(`^${escaped(first)}${regex.join('')}$`),
    literals: literals.join('').length,
  }
}

interface Param {
  readonly index: number
  /** The literal behind it. */
  readonly after: string
  readonly names: readonly string[]
}

/**
 * What a parameter takes of a segment, of characters like `any`: all up to the literal behind it. Written so that nothing is tried twice: with several
 * parameters in one segment, `.+?` for each would let a stranger's path cost seconds.
 */
function capture({ index, after, names }: Param, any: string): string {
  const isLastOfSegment = index === names.length - 1 || after.includes('/')
  if (isLastOfSegment) return `${any}+?`
  return after === '' ? any : `(?:(?!${escaped(after)})${any})+`
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
  return text.replaceAll(':', '::').replaceAll('*', ':star(\\*)')
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
