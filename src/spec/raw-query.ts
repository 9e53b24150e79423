/** Query strings and Cookie headers as names and texts. Texts stay percent-encoded until they have been split: an encoded comma separates nothing. */
export type Texts = ReadonlyMap<string, readonly string[]>

/** The texts of a query string (without `?`) by name, in order. */
export function parseQuery(query: string): Texts {
  return query === '' ? noTexts : collect(query.replaceAll('+', '%20').split('&'))
}

/** The same for parameters whose reserved characters come as they are: a plus is a plus. */
export function parseReserved(query: string): Texts {
  return query === '' ? noTexts : collect(query.split('&'))
}

/** The texts of a Cookie header by name. */
export function parseCookies(header: string): Texts {
  return collect(header.split(';').map((part) => part.trim()))
}

/** A percent-encoded text decoded; undefined where it isn't rightly encoded. */
export function decoded(text: string): string | undefined {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const noTexts: Texts = new Map()

/** Parts `name=text`; a name that can't be decoded is kept as it is. */
function collect(parts: readonly string[]): Texts {
  const texts = new Map<string, string[]>()
  for (const part of parts) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = equals === -1 ? part : part.slice(0, equals)
    const text = equals === -1 ? '' : part.slice(equals + 1)
    const known = texts.get(decoded(name) ?? name)
    if (known === undefined) texts.set(decoded(name) ?? name, [text])
    else known.push(text)
  }
  return texts
}
