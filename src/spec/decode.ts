import type { Api, Operation, Parameter, RawRequest, ValueFault } from './api.ts'
import { DeepObject } from './deep-object.ts'
import { setOwn } from './plain.ts'
import { decoded, parseCookies, parseQuery, type Texts } from './raw-query.ts'
import { type TextReader, textReader } from './scalars.ts'
import { isEncoded, readText } from './styled-text.ts'

/**
 * The parameters of an operation, read from a request by their styles. What no parameter declares is ignored: proxies, caches and browsers add
 * query parameters of their own. A value that is no text of its type stays text, for the checks to refuse.
 */
export class ParameterDecoder {
  readonly #reads: readonly Read[]
  readonly #readsQuery: boolean
  readonly #readsCookies: boolean

  constructor(api: Api, { parameters }: Operation) {
    const queryNames = new Set(
      parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
    )
    this.#reads = parameters.map((parameter) => readOf(api, parameter, queryNames))
    this.#readsQuery = queryNames.size > 0
    this.#readsCookies = parameters.some((parameter) => parameter.in === 'cookie')
  }

  /** The values by place and name; absent parameters are absent. Faults of encoding go to `faults`. */
  decode(raw: RawRequest, faults: ValueFault[]): ParameterValues {
    const values: ParameterValues = { path: {}, query: {}, header: {}, cookie: {} }
    const request: Source = {
      raw,
      query: this.#readsQuery ? parseQuery(raw.query) : noTexts,
      cookies: this.#readsCookies ? parseCookies(String(raw.headers.cookie ?? '')) : noTexts,
    }
    for (const { parameter, textsOf, value } of this.#reads) {
      const texts = textsOf(request)
      if (texts.length === 0) continue
      if (isEncoded(parameter) && texts.some((text) => decoded(text) === undefined)) {
        faults.push({ path: `${parameter.in}.${parameter.name}`, message: 'is not rightly percent-encoded' })
      } else setOwn(values[parameter.in], parameter.name, value(texts, request))
    }
    return values
  }
}

export type ParameterValues = Readonly<Record<Parameter['in'], Record<string, unknown>>>

interface Source {
  readonly raw: RawRequest
  readonly query: Texts
  readonly cookies: Texts
}

interface Read {
  readonly parameter: Parameter
  /** The texts of the parameter in a request; none where it is absent. */
  readonly textsOf: (source: Source) => readonly string[]
  readonly value: (texts: readonly string[], source: Source) => unknown
}

const noTexts: Texts = new Map()
const none: readonly string[] = []

function readOf(api: Api, parameter: Parameter, queryNames: ReadonlySet<string>): Read {
  const reader = textReader(api, parameter.schema)
  if (parameter.style === 'deepObject') return deepRead(api, parameter)
  if (parameter.in === 'query' && parameter.explode && reader.kind === 'object') {
    return spreadRead(parameter, reader, queryNames)
  }
  return { parameter, textsOf: textsIn(parameter), value: (texts) => plainValue(texts, parameter, reader) }
}

function textsIn({ in: place, name }: Parameter): Read['textsOf'] {
  switch (place) {
    case 'path':
      return ({ raw }) => listed(raw.params[name])
    case 'query':
      return ({ query }) => query.get(name) ?? none
    case 'cookie':
      return ({ cookies }) => cookies.get(name) ?? none
    case 'header': {
      const key = name.toLowerCase()
      return ({ raw }) => listed(raw.headers[key])
    }
  }
}

function listed(text: string | readonly string[] | undefined): readonly string[] {
  if (text === undefined) return none
  return typeof text === 'string' ? [text] : [text.join(',')]
}

/** A repeated name is a list; where none is expected, the checks say so. */
function plainValue(texts: readonly string[], parameter: Parameter, reader: TextReader): unknown {
  const isRepeated = parameter.in === 'query' && parameter.explode && reader.kind === 'list'
  if (isRepeated || texts.length > 1) return texts.map((text) => reader.read(decoded(text) ?? text))
  return readText(texts[0] ?? '', parameter, reader)
}

function deepRead(api: Api, parameter: Parameter): Read {
  const deep = new DeepObject(api, parameter.name, parameter.schema)
  return {
    parameter,
    textsOf: ({ query }) => deep.textsOf(query),
    value: (_, { query }) => deep.read(query),
  }
}

/** An exploded object: its properties are query parameters of their own. An open one takes all that no other parameter claims. */
function spreadRead(parameter: Parameter, reader: TextReader, queryNames: ReadonlySet<string>): Read {
  const namesIn = (query: Texts) =>
    reader.open
      ? [...query.keys()].filter((name) => !queryNames.has(name))
      : reader.properties.filter((name) => query.has(name))
  return {
    parameter,
    textsOf: ({ query }) => namesIn(query).flatMap((name) => query.get(name) ?? none),
    value: (_, { query }) => {
      const value = {}
      for (const name of namesIn(query)) {
        const values = (query.get(name) ?? none).map((text) => reader.read(decoded(text) ?? text, name))
        setOwn(value, name, values.length === 1 ? values[0] : values)
      }
      return value
    },
  }
}
