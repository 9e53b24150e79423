import type { JsonSchema } from './api.ts'
import type { Direction } from './directions.ts'
import type { Discriminator } from './discriminators.ts'
import { listKeywords, mapKeywords, schemaKeywords } from './schema-keywords.ts'

/**
 * A schema of an Api in the form its validator takes: the same rules, annotations left out, references by the validator's keys, and
 * six keywords of our own (see check-keywords.ts) in place of rules that JSON Schema can't say:
 *
 * - `dateTime` for text of format date-time, since models hold a Date there;
 * - `requiredInReply`, `requiredInRequest` for required properties that are readOnly (or have a default) or writeOnly;
 * - `absentInReply` for those that are writeOnly;
 * - `hidden` where values are never told in messages;
 * - `distinct` for uniqueItems, since comparing every two items of a stranger's list takes quadratic time.
 */
export type Checkable = boolean | { readonly [keyword: string]: unknown }

type Keywords = Record<string, unknown>

/** Rules without schemas in them. */
const rules = [
  'type',
  'format',
  'pattern',
  'enum',
  'const',
  'multipleOf',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'maxItems',
  'minItems',
  'maxProperties',
  'minProperties',
  'maxContains',
  'minContains',
  'dependentRequired',
]

/** What converting a schema needs. */
export interface Converting extends ReferenceKind {
  /** The validator's key of a reference. */
  keyOf(ref: string, kind: ReferenceKind): string
  /** What chooses the branch of a union. */
  discriminatorOf(schema: JsonSchema): Discriminator | undefined
  /** Every schema a property must fulfil, by name. */
  propertiesOf(schema: JsonSchema): ReadonlyMap<string, readonly JsonSchema[]>
  /** Whether the schemas of a property say that only replies have it, or only requests. */
  isMarked(property: readonly JsonSchema[], keyword: Direction): boolean
  /** The schema of whose `allOf` this is a part: a property and what requires it may stand in two of them. */
  readonly whole?: JsonSchema | undefined
}

/** In which of its forms a schema is referred to. */
export interface ReferenceKind {
  /** Whether it is within one whose values are never told. */
  readonly hidden: boolean
  /** Whether it is what others are made from (`allOf`), so that its own discriminator chooses nothing. */
  readonly base: boolean
}

/** The checkable form of a schema. */
export function checkable(schema: JsonSchema, outer: Converting): Checkable {
  if (typeof schema === 'boolean') return schema
  const { base, keyOf } = outer
  const converting = { ...outer, hidden: outer.hidden || isSensitive(schema), base: false, whole: undefined }
  const whole = outer.whole ?? schema
  const made: Keywords =
    typeof schema.$ref === 'string' ? { $ref: keyOf(schema.$ref, { ...converting, base }) } : {}
  for (const keyword of rules) if (schema[keyword] !== undefined) made[keyword] = schema[keyword]
  for (const keyword of schemaKeywords) {
    const inner = schema[keyword]
    if (inner !== undefined) made[keyword] = checkable(asSchema(inner), converting)
  }
  for (const keyword of listKeywords) {
    const list = schema[keyword]
    const inner = keyword === 'allOf' ? { ...converting, base: true, whole } : converting
    if (Array.isArray(list)) made[keyword] = list.map((branch) => checkable(asSchema(branch), inner))
  }
  const discriminator = outer.discriminatorOf(schema)
  if (discriminator !== undefined) chooseBranch(made, discriminator, converting)
  for (const keyword of mapKeywords) {
    if (schema[keyword] !== undefined) made[keyword] = byName(schemasIn(schema, keyword), converting)
  }
  addProperties(schema, made, converting)
  addRequired(requiredOf(schema), made, { ...converting, whole })
  if (schema.uniqueItems === true) made.distinct = true
  if (converting.hidden) made.hidden = true
  return schema.format === 'date-time' ? withDateTime(made) : made
}

/** Puts the choice of a discriminator in place of its union, which is left for values that don't have the property. */
function chooseBranch(made: Keywords, discriminator: Discriminator, converting: Converting): void {
  const { property, refs, required } = discriminator
  const keyword = made.oneOf === undefined ? 'anyOf' : 'oneOf'
  const { [keyword]: union } = made
  delete made[keyword]
  const chosen = {
    properties: { [property]: { enum: [...refs.keys()] } },
    ...choices(discriminator, converting),
  }
  const otherwise = required ? { type: 'object', required: [property] } : { [keyword]: union }
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
  const choice = { if: { type: 'object', required: [property] }, then: chosen, else: otherwise }
  made.allOf = [...(Array.isArray(made.allOf) ? made.allOf : []), choice]
}

/** For each value of the property what its schema says. */
export function choices(
  { property, refs }: Discriminator,
  { keyOf, hidden }: Pick<Converting, 'keyOf' | 'hidden'>,
): Keywords {
  const all = [...refs].map(([value, ref]) => ({
    if: { properties: { [property]: { const: value } }, required: [property] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    then: { $ref: keyOf(ref, { hidden, base: true }) },
  }))
  return { allOf: all }
}

/** Whether values of a schema are never told in messages: passwords, what only goes in, and what is marked `x-sensitive`. */
export function isSensitive(schema: Exclude<JsonSchema, boolean>): boolean {
  return schema.format === 'password' || schema.writeOnly === true || schema['x-sensitive'] === true
}

function addProperties(schema: Exclude<JsonSchema, boolean>, made: Keywords, converting: Converting): void {
  const properties = propertiesOf(schema)
  const names = Object.keys(properties)
  if (names.length > 0) made.properties = byName(properties, converting)
  const absentInReply = names.filter((name) => converting.isMarked([properties[name] ?? true], 'writeOnly'))
  if (absentInReply.length > 0) made.absentInReply = absentInReply
}

function addRequired(names: readonly string[], made: Keywords, converting: Converting): void {
  if (names.length === 0) return
  const properties = converting.propertiesOf(converting.whole ?? true)
  const isMarked = (name: string, keyword: Direction) =>
    converting.isMarked(properties.get(name) ?? [], keyword)
  // What has a default is filled in for requests and models, not for replies.
  const inReply = names.filter(
    (name) => isMarked(name, 'readOnly') || properties.get(name)?.some(hasDefault) === true,
  )
  const inRequest = names.filter((name) => isMarked(name, 'writeOnly') && !inReply.includes(name))
  const always = names.filter((name) => !inReply.includes(name) && !inRequest.includes(name))
  if (always.length > 0) made.required = always
  if (inReply.length > 0) made.requiredInReply = inReply
  if (inRequest.length > 0) made.requiredInRequest = inRequest
}

function byName(schemas: Readonly<Record<string, JsonSchema>>, converting: Converting): object {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, part]) => [name, checkable(part, converting)]),
  )
}

function hasDefault(property: JsonSchema): boolean {
  return typeof property === 'object' && property.default !== undefined
}

/** Text of format date-time may be a Date in a model; `dateTime` holds the other types that are allowed beside it. */
function withDateTime(made: Keywords): Keywords {
  const { format: _, type, ...rest } = made
  const types: unknown[] = type === undefined ? jsonTypes : [type].flat()
  return types.includes('string') ? { ...rest, dateTime: types.filter((name) => name !== 'string') } : made
}

const jsonTypes = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'null']

/** The `properties` of a schema. */
export function propertiesOf(schema: Exclude<JsonSchema, boolean>): Readonly<Record<string, JsonSchema>> {
  return schemasIn(schema, 'properties')
}

/** The schemas by name under a keyword of a schema. */
export function schemasIn(
  schema: Exclude<JsonSchema, boolean>,
  keyword: string,
): Readonly<Record<string, JsonSchema>> {
  // Written by SchemaReader, which makes it a record of schemas.
  return (schema[keyword] ?? {}) as Record<string, JsonSchema>
}

/** The `required` names of a schema. */
export function requiredOf(schema: Exclude<JsonSchema, boolean>): readonly string[] {
  // Written by SchemaReader, which makes it a list of names.
  return (schema.required ?? []) as readonly string[]
}

/** A nested schema of a schema. */
export function asSchema(value: unknown): JsonSchema {
  // Written by SchemaReader, which makes every nested schema one.
  return value as JsonSchema
}
