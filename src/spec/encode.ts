import { validateHeaderValue } from '../core/node-http.ts'
import type { Operation, Parameter, ValueFault } from './api.ts'
import { escapeText, isScalar, membersOf, scalarText, writeText } from './write-text.ts'

/** The parameters of an operation written into a request: the counterpart of decode.ts, which reads what this writes as the same values. */

/** The values of parameters by place and name; absent or undefined ones are not sent. */
export type GivenValues = Readonly<Record<Parameter['in'], Readonly<Record<string, unknown>>>>

export interface EncodedParameters {
  /** The operation's path with its parameters filled in. */
  readonly path: string
  /** The query string without `?`; empty where there is none. */
  readonly query: string
  /** By name in lower case; cookies are in `cookie`. */
  readonly headers: Readonly<Record<string, string>>
}

/** Writes the parameters of a request; what no request can carry goes to `faults`. */
export function encodeParameters(
  { path, parameters }: Pick<Operation, 'path' | 'parameters'>,
  values: GivenValues,
  faults: ValueFault[],
): EncodedParameters {
  const given = parameters.flatMap((parameter) => {
    const value = values[parameter.in][parameter.name]
    if (value === undefined) return []
    const fault = unwritable(value, parameter)
    if (fault === undefined) return [asDocument({ parameter, value })]
    faults.push({ path: `${parameter.in}.${parameter.name}`, message: fault })
    return []
  })
  const at = (place: Parameter['in']) => given.filter(({ parameter }) => parameter.in === place)
  const headers = Object.fromEntries(
    at('header').map(({ parameter, value }) => [
      parameter.name.toLowerCase(),
      headerText(value, parameter, faults),
    ]),
  )
  const cookie = at('cookie').flatMap(cookiesOf).join('; ')
  return {
    path: filledIn(path, at('path'), faults),
    query: at('query').flatMap(queryPairs).join('&'),
    headers: cookie === '' ? headers : { ...headers, cookie },
  }
}

/** A parameter and the value it is given. */
export interface Given {
  readonly parameter: Parameter
  readonly value: unknown
}

/** What is wrong with a value that its style has no form for. */
function unwritable(value: unknown, { style, content }: Parameter): string | undefined {
  if (content === 'json') return undefined
  if (value instanceof Date && Number.isNaN(value.getTime())) return 'is a Date that names no moment'
  if (style === 'deepObject' || isScalar(value)) return undefined
  const parts = Array.isArray(value) ? value : membersOf(value).map(([, part]) => part)
  return parts.every(isScalar) ? undefined : `holds lists or objects, which the style "${style}" can't carry`
}

/** A value that is a JSON document (`content`) is one text, which any place can carry. */
function asDocument({ parameter, value }: Given): Given {
  if (parameter.content !== 'json') return { parameter, value }
  const style = parameter.in === 'query' || parameter.in === 'cookie' ? 'form' : 'simple'
  const text = JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return { parameter: { ...parameter, style, explode: false }, value: text }
}

function headerText(value: unknown, parameter: Parameter, faults: ValueFault[]): string {
  const text = writeText(value, parameter)
  try {
    validateHeaderValue(parameter.name, text)
    return text
  } catch {
    faults.push({
      path: `header.${parameter.name}`,
      message: "has characters that a header can't carry: line breaks, or letters beyond Latin-1",
    })
    return ''
  }
}

function filledIn(template: string, given: readonly Given[], faults: ValueFault[]): string {
  const texts = new Map(given.map(({ parameter, value }) => [parameter.name, writeText(value, parameter)]))
  for (const [name, text] of texts) {
    if (text === '')
      faults.push({ path: `path.${name}`, message: 'must not be empty: it is a part of the path' })
  }
  const path = template.replace(/\{([^{}]+)\}/g, (_, name: string) => texts.get(name) ?? '')
  // Proxies and URL parsers take such segments for steps up, and the request would go to another operation.
  if (path.split('/').some((segment) => segment === '.' || segment === '..')) {
    faults.push({ path: 'path', message: `can't be sent: one of its segments would be "." or ".."` })
  }
  return path
}

/** `name=text` pairs: one, or one for each item or member where the parameter is exploded. */
export function queryPairs({ parameter, value }: Given): string[] {
  const { name, style, explode } = parameter
  if (style === 'deepObject') return deepPairs(name, value).map(([key, text]) => writePair(key, text))
  if (explode && Array.isArray(value)) return value.map((item) => writePair(name, scalarText(item)))
  if (explode && !isScalar(value)) return membersOf(value).flatMap(([key, part]) => spread(key, part))
  return [`${escaped(name)}=${writeText(value, parameter)}`]
}

/** A member of an exploded object is a query parameter of its own. */
function spread(key: string, part: unknown): string[] {
  return isScalar(part) ? [writePair(key, scalarText(part))] : []
}

/** `filter[age][min]` and its text; the items of a list have one name, unless they are objects. */
function deepPairs(name: string, value: unknown): (readonly [string, string])[] {
  if (isScalar(value)) return [[name, scalarText(value)]]
  if (!Array.isArray(value))
    return membersOf(value).flatMap(([key, part]) => deepPairs(`${name}[${key}]`, part))
  const isFlat = value.every(isScalar)
  return value.flatMap((item, index) => deepPairs(isFlat ? name : `${name}[${index}]`, item))
}

/** OpenAPI leaves exploded objects in cookies open: they stand in one cookie, as the decoder reads them. */
function cookiesOf({ parameter, value }: Given): string[] {
  const { name, explode } = parameter
  if (explode && Array.isArray(value)) return value.map((item) => `${name}=${escaped(scalarText(item))}`)
  return [`${name}=${writeText(value, parameter)}`]
}

/** A name and its text, as queries and forms have them. */
export function writePair(name: string, text: string): string {
  return `${escaped(name)}=${escaped(text)}`
}

function escaped(text: string): string {
  return escapeText(text, { in: 'query' })
}
