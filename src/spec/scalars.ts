import type { Api, JsonSchema } from './api.ts'
import { type Shape, shapeOf } from './shape.ts'

/**
 * The texts of parameters as values of their schemas' types. Strict: what isn't exactly a value of the type stays text, which the checks then
 * refuse with the rule it breaks.
 */
export interface TextReader {
  /** Which structure the text is of. */
  readonly kind: 'scalar' | 'list' | 'object'
  /** One text as a value: of the items of a list, or of the named property of an object. */
  read(text: string, property?: string): unknown
  /** The properties of an object. */
  readonly properties: readonly string[]
  /** Whether an object takes properties beside those. */
  readonly open: boolean
  /** Whether the texts themselves may hold separators: those of strings may. */
  readonly hasText: boolean
}

/** The reader of a parameter's texts. */
export function textReader(api: Api, schema: JsonSchema): TextReader {
  const shape = shapeOf(api, schema)
  const types = typesOf(api, shape)
  const scalars = new Set([...types].filter((type) => type !== 'array' && type !== 'object'))
  if (types.has('array') && scalars.size === 0) return listReader(api, shape)
  if (types.has('object') && scalars.size === 0) return objectReader(api, shape)
  return reader('scalar', types, (text) => typedValue(text, types))
}

/** JSON Schema types that a shape allows, its branches' included; empty where nothing is said. */
function typesOf(api: Api, shape: Shape, depth = 0): ReadonlySet<string> {
  const own = shape.types ?? []
  if (shape.branches.length === 0 || depth > maxDepth) return new Set(own)
  const inner = shape.branches.flatMap((branch) => [...typesOf(api, shapeOf(api, branch), depth + 1)])
  return new Set(inner)
}

/** Unions within unions of a parameter are followed this far. */
const maxDepth = 4

function listReader(api: Api, shape: Shape): TextReader {
  const types = shape.items === undefined ? new Set<string>() : typesOf(api, shapeOf(api, shape.items))
  return reader('list', types, (text) => typedValue(text, types))
}

function objectReader(api: Api, shape: Shape): TextReader {
  const byName = new Map(
    [...shape.properties].map(([name, [schema = true]]) => [name, typesOf(api, shapeOf(api, schema))]),
  )
  const others = typesOf(api, shapeOf(api, shape.additional ?? true))
  const typesOfProperty = (name = '') => byName.get(name) ?? others
  return {
    ...reader('object', new Set(['string']), (text, name) => typedValue(text, typesOfProperty(name))),
    properties: [...byName.keys()],
    open: shape.additional !== undefined ? shape.additional !== false : byName.size === 0,
  }
}

function reader(kind: TextReader['kind'], types: ReadonlySet<string>, read: TextReader['read']): TextReader {
  const hasText = types.size === 0 || types.has('string')
  return { kind, read, hasText, properties: [], open: false }
}

/** The value of a text as one of `types`, or the text itself. */
function typedValue(text: string, types: ReadonlySet<string>): unknown {
  if (types.has('integer') && wholeNumber.test(text) && Number.isSafeInteger(Number(text)))
    return Number(text)
  if (types.has('number') && decimalNumber.test(text) && Number.isFinite(Number(text))) return Number(text)
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  if (types.has('null') && !types.has('string') && text === 'null') return null
  return text
}

const wholeNumber = /^-?(0|[1-9]\d*)$/

const decimalNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/
