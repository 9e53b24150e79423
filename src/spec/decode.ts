import { JsonRefusal, jsonOf } from '../core/json.ts'
import type { Api, Operation, Parameter, RawRequest, ValueFault } from './api.ts'
import { DeepObject } from './deep-object.ts'
import { setOwn } from './plain.ts'
import { decoded, parseCookies, parseQuery, parseReserved, type Texts } from './raw-query.ts'
import { type TextReader, textReader } from './scalars.ts'
import { isEncoded, readText } from './styled-text.ts'

/**
 * The parameters of an operation, read from a request by their styles. What no parameter declares is ignored: proxies, caches and browsers add
 * query parameters of their own. A value that is no text of its type stays text, for the checks to refuse.
 */
export class ParameterDecoder {
  readonly #reads: readonly Read[]
  readonly #readsQuery: boolean
  readonly #readsReserved: boolean
  readonly #readsCookies: boolean

  constructor(api: Api, { parameters }: Operation) {
    const inQuery = parameters.filter((parameter) => parameter.in === 'query')
    const queryNames = new Set(inQuery.map(({ name }) => name))
    this.#reads = parameters.map((parameter) => readOf(api, parameter, queryNames))
    this.#readsQuery = queryNames.size > 0
    this.#readsReserved = inQuery.some(({ allowReserved }) => allowReserved === true)
    this.#readsCookies = parameters.some((parameter) => parameter.in === 'cookie')
  }

  /** The values by place and name; absent parameters are absent. Faults of encoding go to `faults`. */
  decode(raw: RawRequest, faults: ValueFault[]): ParameterValues {
    const values: ParameterValues = { path: {}, query: {}, header: {}, cookie: {} }
    const source: Source = {
      raw,
      query: this.#readsQuery ? parseQuery(raw.query) : noTexts,
      reserved: this.#readsReserved ? parseReserved(raw.query) : noTexts,
      cookies: this.#readsCookies ? parseCookies(String(raw.headers.cookie ?? '')) : noTexts,
    }
    for (const read of this.#reads) {
      const place = read.parameter.in
      readInto(values[place], read, { source, faults, label: place })
    }
    return values
  }
}

/** Reads one parameter into `values`, where it is present; a fault where its text can't be read at all. */
export function readInto(
  values: object,
  { parameter, textsOf, value }: Read,
  { source, faults, label }: Reading,
): void {
  const texts = textsOf(source)
  if (texts.length === 0) return
  const path = `${label}.${parameter.name}`
  if (isEncoded(parameter) && texts.some((text) => decoded(text) === undefined)) {
    faults.push({ path, message: 'is not rightly percent-encoded' })
    return
  }
  const read = value(texts, source)
  if (read instanceof JsonRefusal) faults.push({ path, message: read.problem })
  else setOwn(values, parameter.name, read)
}

interface Reading {
  readonly source: Source
  readonly faults: ValueFault[]
  /** How paths of faults begin. */
  readonly label: string
}

export type ParameterValues = Readonly<Record<Parameter['in'], Record<string, unknown>>>

/** Where texts come from. */
export interface Source {
  readonly raw: RawRequest
  readonly query: Texts
  /** The query with every plus as it is. */
  readonly reserved: Texts
  readonly cookies: Texts
}

/** How a parameter is read. */
export interface Read {
  readonly parameter: Parameter
  /** The texts of the parameter in a request; none where it is absent. */
  readonly textsOf: (source: Source) => readonly string[]
  /** The value of those texts, or why it is refused. */
  readonly value: (texts: readonly string[], source: Source) => unknown
}

const noTexts: Texts = new Map()
const none: readonly string[] = []

/** How a parameter is read; `queryNames` are those that an open object must leave to others. */
export function readOf(api: Api, parameter: Parameter, queryNames: ReadonlySet<string>): Read {
  if (parameter.content !== undefined) return documentRead(parameter)
  const reader = textReader(api, parameter.schema)
  if (parameter.style === 'deepObject') return deepRead(api, parameter)
  if (parameter.explode && reader.kind === 'object') {
    if (parameter.in === 'query') return spreadRead(parameter, reader, queryNames)
    if (parameter.in === 'cookie') return cookiesRead(parameter, reader)
  }
  return { parameter, textsOf: textsIn(parameter), value: (texts) => plainValue(texts, parameter, reader) }
}

/** A value that is a document of its own (`content`), in one text. */
export function documentRead(parameter: Parameter): Read {
  const isJson = parameter.content === 'json'
  return {
    parameter,
    textsOf: textsIn(parameter),
    value: (texts) => {
      const text = isEncoded(parameter) ? (decoded(texts[0] ?? '') ?? '') : (texts[0] ?? '')
      return isJson && texts.length === 1 ? jsonOf(text) : texts.length === 1 ? text : texts
    },
  }
}

function textsIn({ in: place, name, allowReserved }: Parameter): Read['textsOf'] {
  switch (place) {
    case 'path':
      return ({ raw }) => listed(raw.params[name])
    case 'query':
      if (allowReserved === true) return ({ reserved }) => reserved.get(name) ?? none
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
export function plainValue(texts: readonly string[], parameter: Parameter, reader: TextReader): unknown {
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

/** An exploded object whose properties are cookies of their own, or, as many clients write it, one cookie of its name. */
function cookiesRead(parameter: Parameter, reader: TextReader): Read {
  const whole = { ...parameter, explode: false }
  const namesIn = (cookies: Texts) => reader.properties.filter((name) => cookies.has(name))
  return {
    parameter,
    textsOf: ({ cookies }) =>
      cookies.get(parameter.name) ?? namesIn(cookies).flatMap((name) => cookies.get(name) ?? none),
    value: (texts, { cookies }) => {
      // `a=1,b=2` or `a,1,b,2`: an equals sign that is part of a name or value is encoded.
      if (cookies.has(parameter.name))
        return plainValue(texts, texts[0]?.includes('=') ? parameter : whole, reader)
      const value = {}
      for (const name of namesIn(cookies)) {
        const text = cookies.get(name)?.[0] ?? ''
        setOwn(value, name, reader.read(decoded(text) ?? text, name))
      }
      return value
    },
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
