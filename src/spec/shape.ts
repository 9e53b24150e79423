import type { Api, JsonSchema } from './api.ts'
import { asSchema, propertiesOf, requiredOf } from './checkable.ts'
import { namedSchemaOf } from './dialect.ts'
import { resolve } from './schema-table.ts'

/**
 * What a schema says about the form of its values, with references followed and `allOf` merged: what types are written, parameters
 * decoded and models made from. Rules that only narrow values (lengths, patterns) are left to the validators.
 */
export interface Shape {
  /** JSON Schema types; undefined where any is allowed. `integer` is kept apart from `number`. */
  readonly types: ReadonlySet<string> | undefined
  readonly format: string | undefined
  /** Allowed values; undefined where not restricted. */
  readonly values: readonly unknown[] | undefined
  /** Every schema a property must fulfil, by name: several where parts of an `allOf` share a property. */
  readonly properties: ReadonlyMap<string, readonly JsonSchema[]>
  readonly required: ReadonlySet<string>
  /** Of properties that aren't named; undefined where nothing is said of them. */
  readonly additional: JsonSchema | undefined
  readonly items: JsonSchema | undefined
  /** Alternatives of which each has everything else of this shape merged in. Empty where there are none. */
  readonly branches: readonly JsonSchema[]
}

type Keywords = Exclude<JsonSchema, boolean>

/** The shape of a schema of `api`. */
export function shapeOf(api: Api, schema: JsonSchema): Shape {
  const parts = partsOf(api, schema, new Set())
  const union = parts.flatMap(unionsOf)[0]
  return {
    types: intersection(parts.map((part) => typesOf(part))),
    format: parts.map((part) => part.format).find((format) => typeof format === 'string'),
    values: parts.map((part) => part.enum).find((values) => Array.isArray(values)),
    properties: mergedProperties(parts),
    required: new Set(parts.flatMap(requiredOf)),
    additional: firstSchema(parts, 'additionalProperties'),
    items: firstSchema(parts, 'items'),
    branches: union === undefined ? [] : union.map((branch) => merged(parts, union, branch)),
  }
}

/** A schema whose only content is one other schema (a reference, or an `allOf` of one) is another name of it. */
export function aliasOf(schema: JsonSchema): JsonSchema | undefined {
  if (typeof schema === 'boolean' || typeof schema.$ref === 'string') return undefined
  const { allOf } = schema
  const only = Array.isArray(allOf) && allOf.length === 1 ? asSchema(allOf[0]) : undefined
  return Object.keys(schema).some((keyword) => keyword !== 'allOf' && !annotations.has(keyword))
    ? undefined
    : only
}

/** The schema beside null, where that is all a schema says. */
export function nonNullOf(schema: JsonSchema): JsonSchema | undefined {
  if (typeof schema === 'boolean') return undefined
  const [keyword, ...others] = Object.keys(schema).filter((key) => !annotations.has(key))
  if (others.length > 0 || (keyword !== 'anyOf' && keyword !== 'oneOf')) return undefined
  const branches = [schema[keyword]].flat().map(asSchema)
  const meant = branches.filter((branch) => typeof branch === 'boolean' || branch.type !== 'null')
  return branches.length === 2 && meant.length === 1 ? meant[0] : undefined
}

/** The named schema that a schema means and that is a model, through any number of other names. */
export function modelNameOf(api: Api, schema: JsonSchema): string | undefined {
  const seen = new Set<JsonSchema>()
  for (let at: JsonSchema | undefined = schema; at !== undefined && !seen.has(at); ) {
    seen.add(at)
    const name = namedSchemaOf(at)
    if (name === undefined) {
      at = aliasOf(at)
      continue
    }
    const target = api.schemas[name] ?? true
    if (isAlias(target)) at = target
    else return isModelShape(shapeOf(api, target)) ? name : undefined
  }
  return undefined
}

/** Whether a named schema is only another name of something else. */
export function isAlias(schema: JsonSchema): boolean {
  return typeof schema === 'object' && (typeof schema.$ref === 'string' || aliasOf(schema) !== undefined)
}

/** Whether a shape is an object with properties of its own, such as a model has: no map, no list, no alternatives. */
function isModelShape({ types, properties, additional, branches, items }: Shape): boolean {
  if (branches.length > 0 || items !== undefined) return false
  const isObject = types === undefined ? properties.size > 0 : types.has('object')
  const isOnlyObject = types === undefined || [...types].every((type) => type === 'object' || type === 'null')
  const isMap = properties.size === 0 && additional !== undefined && additional !== false
  return isObject && isOnlyObject && !isMap
}

const annotations = new Set([
  'title',
  'description',
  'deprecated',
  'readOnly',
  'writeOnly',
  'default',
  'discriminator',
  // Worked out when the spec was read.
  'x-nullable',
  'x-mandatory',
])

/** A schema and everything it is bound to fulfil as well, references followed. */
function partsOf(api: Api, schema: JsonSchema, seen: Set<JsonSchema>): readonly Keywords[] {
  if (typeof schema === 'boolean' || seen.has(schema)) return []
  seen.add(schema)
  const target = typeof schema.$ref === 'string' ? partsOf(api, resolve(api, schema.$ref), seen) : []
  const all = Array.isArray(schema.allOf)
    ? schema.allOf.flatMap((part) => partsOf(api, asSchema(part), seen))
    : []
  return [...target, ...all, schema]
}

/** The alternatives of a part that give its values different forms; those that only require properties don't. */
function unionsOf(part: Keywords): (readonly JsonSchema[])[] {
  return [part.anyOf, part.oneOf].flatMap((list) => {
    const branches = Array.isArray(list) ? list.map(asSchema) : []
    return branches.some(givesForm) ? [branches] : []
  })
}

function givesForm(schema: JsonSchema): boolean {
  if (typeof schema === 'boolean') return false
  return ['$ref', 'type', 'properties', 'items', 'allOf', 'anyOf', 'oneOf', 'enum'].some(
    (keyword) => keyword in schema,
  )
}

/** One branch together with the parts beside its union. */
function merged(parts: readonly Keywords[], union: readonly JsonSchema[], branch: JsonSchema): JsonSchema {
  const rest = parts.map(({ $ref: _, allOf: __, ...part }) => withoutUnion(part, union)).filter(givesForm)
  return rest.length === 0 ? branch : { allOf: [...rest, branch] }
}

function withoutUnion(part: Keywords, union: readonly JsonSchema[]): Keywords {
  const isUnion = (list: unknown) =>
    Array.isArray(list) && list.length === union.length && list[0] === union[0]
  return Object.fromEntries(
    Object.entries(part).filter(([keyword, value]) => !(keyword.endsWith('Of') && isUnion(value))),
  )
}

function typesOf({ type, enum: values }: Keywords): ReadonlySet<string> | undefined {
  if (type !== undefined) return new Set([type].flat().map(String))
  return Array.isArray(values) ? new Set(values.map(jsonType)) : undefined
}

function jsonType(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}

function intersection(all: readonly (ReadonlySet<string> | undefined)[]): ReadonlySet<string> | undefined {
  const [first, ...others] = all.filter((types) => types !== undefined)
  if (first === undefined) return undefined
  const isIn = (types: ReadonlySet<string>, type: string) =>
    types.has(type) || (type === 'integer' && types.has('number'))
  return new Set([...first].filter((type) => others.every((types) => isIn(types, type))))
}

function mergedProperties(parts: readonly Keywords[]): ReadonlyMap<string, readonly JsonSchema[]> {
  const properties = new Map<string, JsonSchema[]>()
  for (const [name, schema] of parts.flatMap((part) => Object.entries(propertiesOf(part)))) {
    const known = properties.get(name)
    if (known === undefined) properties.set(name, [schema])
    else known.push(schema)
  }
  return properties
}

function firstSchema(
  parts: readonly Keywords[],
  keyword: 'items' | 'additionalProperties',
): JsonSchema | undefined {
  return parts
    .map((part) => part[keyword])
    .filter((schema) => schema !== undefined)
    .map(asSchema)[0]
}
