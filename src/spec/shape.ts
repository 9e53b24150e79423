import { isAnnotation } from './annotations.ts'
import type { Api, JsonSchema } from './api.ts'
import { asSchema, propertiesOf, requiredOf, schemasIn } from './checkable.ts'
import { namedSchemaOf } from './dialect.ts'
import { resolve } from './resolve.ts'

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
  /** Of properties whose names match a pattern, in the order of the schema. */
  readonly patterns: readonly (readonly [string, JsonSchema])[]
  /** Of properties that aren't named; undefined where nothing is said of them. */
  readonly additional: JsonSchema | undefined
  /** Of the first items of a list, by place (`prefixItems`). */
  readonly firstItems: readonly JsonSchema[]
  /** Of all (other) items. */
  readonly items: JsonSchema | undefined
  /** How many items a list has at least. */
  readonly minItems: number
  /** Alternatives of which each has everything else of this shape merged in. Empty where there are none. */
  readonly branches: readonly JsonSchema[]
}

type Keywords = Exclude<JsonSchema, boolean>

/** The shape of a schema of `api`. */
export function shapeOf(api: Api, schema: JsonSchema): Shape {
  const parts = partsOf(api, schema)
  const union = parts.flatMap(unionsOf)[0]
  return {
    types: intersection(parts.map((part) => typesOf(part))),
    format: parts.map((part) => part.format).find((format) => typeof format === 'string'),
    values: parts.map(valuesOf).find((values) => values !== undefined),
    properties: mergedProperties(parts),
    required: new Set(parts.flatMap(requiredOf)),
    patterns: parts.flatMap((part) => Object.entries(schemasIn(part, 'patternProperties'))),
    additional: firstSchema(parts, 'additionalProperties') ?? firstSchema(parts, 'unevaluatedProperties'),
    firstItems: parts.map(firstItemsOf).find((items) => items.length > 0) ?? [],
    items: firstSchema(parts, 'items') ?? firstSchema(parts, 'unevaluatedItems'),
    minItems: Math.max(0, ...parts.map(({ minItems }) => (typeof minItems === 'number' ? minItems : 0))),
    branches: union === undefined ? [] : union.map((branch) => merged(parts, union, branch)),
  }
}

/** A schema whose only content is one other schema (a reference, or an `allOf` of one) is another name of it. */
export function aliasOf(schema: JsonSchema): JsonSchema | undefined {
  if (typeof schema === 'boolean' || typeof schema.$ref === 'string') return undefined
  const { allOf } = schema
  const only = Array.isArray(allOf) && allOf.length === 1 ? asSchema(allOf[0]) : undefined
  return Object.keys(schema).some((keyword) => keyword !== 'allOf' && !isAnnotation(keyword))
    ? undefined
    : only
}

/** The schema beside null, where that is all a schema says. */
export function nonNullOf(schema: JsonSchema): JsonSchema | undefined {
  if (typeof schema === 'boolean') return undefined
  const [keyword, ...others] = Object.keys(schema).filter((key) => !isAnnotation(key))
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
function isModelShape({ types, properties, patterns, additional, branches, items }: Shape): boolean {
  if (branches.length > 0 || items !== undefined) return false
  const isObject = types === undefined ? properties.size > 0 : types.has('object')
  const isOnlyObject = types === undefined || [...types].every((type) => type === 'object' || type === 'null')
  const isMap =
    properties.size === 0 && (patterns.length > 0 || (additional !== undefined && additional !== false))
  return isObject && isOnlyObject && !isMap
}

/** A schema and everything it is bound to fulfil as well, references followed. */
export function partsOf(api: Api, schema: JsonSchema, seen = new Set<JsonSchema>()): readonly Keywords[] {
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
  return forms.some((keyword) => keyword in schema)
}

/** Keywords that give values a form of their own. */
const forms = [
  '$ref',
  'type',
  'properties',
  'patternProperties',
  'items',
  'prefixItems',
  'allOf',
  'anyOf',
  'oneOf',
  'enum',
  'const',
]

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

function typesOf(part: Keywords): ReadonlySet<string> | undefined {
  if (part.type !== undefined) return new Set([part.type].flat().map(String))
  const values = valuesOf(part)
  return values && new Set(values.map(jsonType))
}

/** The only values that a schema allows. */
function valuesOf(part: Keywords): readonly unknown[] | undefined {
  if (part.const !== undefined) return [part.const]
  return Array.isArray(part.enum) ? part.enum : undefined
}

function firstItemsOf({ prefixItems }: Keywords): readonly JsonSchema[] {
  return Array.isArray(prefixItems) ? prefixItems.map(asSchema) : []
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
  const properties = byProperty(parts)
  for (const [name, schemas] of byProperty(parts.flatMap(conditionsOf))) {
    // One of them may hold, and none must: a default in one is none of the property.
    if (!properties.has(name)) properties.set(name, [{ anyOf: schemas }])
  }
  return properties
}

function byProperty(parts: readonly Keywords[]): Map<string, readonly JsonSchema[]> {
  const properties = new Map<string, JsonSchema[]>()
  for (const [name, schema] of parts.flatMap((part) => Object.entries(propertiesOf(part)))) {
    const known = properties.get(name)
    if (known === undefined) properties.set(name, [schema])
    else known.push(schema)
  }
  return properties
}

/** Schemas that count for some values only: their properties may be there. */
function conditionsOf(part: Keywords): readonly Keywords[] {
  return [part.then, part.else, ...Object.values(schemasIn(part, 'dependentSchemas'))]
    .filter((schema) => schema !== undefined)
    .map(asSchema)
    .filter((schema) => typeof schema === 'object')
}

function firstSchema(
  parts: readonly Keywords[],
  keyword: 'items' | 'additionalProperties' | 'unevaluatedItems' | 'unevaluatedProperties',
): JsonSchema | undefined {
  return parts
    .map((part) => part[keyword])
    .filter((schema) => schema !== undefined)
    .map(asSchema)[0]
}
