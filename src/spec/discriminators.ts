import type { Api, JsonSchema } from './api.ts'
import { asSchema } from './checkable.ts'
import { namedSchemaOf } from './dialect.ts'
import { escapeSegment } from './pointers.ts'
import { resolve } from './resolve.ts'
import { shapeOf } from './shape.ts'

/**
 * The discriminator of OpenAPI: a property that says which schema an object is of. Of a union it chooses the branch; of a schema that others are
 * made from with `allOf` it chooses among those. What it says is what counts, so that a value is never of two schemas at once.
 */
export interface Discriminator {
  readonly property: string
  /** The references of schemas by what the property says. */
  readonly refs: ReadonlyMap<string, string>
  /** Whether every value must have the property. */
  readonly required: boolean
}

/** The discriminator of a union of references, however it is written beside them; undefined where there is none. */
export function unionDiscriminator(api: Api, schema: JsonSchema): Discriminator | undefined {
  if (typeof schema === 'boolean') return undefined
  const told = toldOf(schema)
  const branches = branchesOf(schema)
  const refs = branches.map((branch) => (typeof branch === 'object' ? branch.$ref : undefined))
  if (told === undefined || refs.length === 0 || !refs.every((ref) => typeof ref === 'string'))
    return undefined
  const shapes = refs.map((ref) => shapeOf(api, resolve(api, ref)))
  const required = shapes.every(({ required: names }) => names.has(told.property))
  return { property: told.property, refs: table(api, told, refs), required }
}

/** The discriminator among the schemas that are made from a named one with `allOf`; undefined where there is none. */
export function familyDiscriminator(api: Api, name: string): Discriminator | undefined {
  const schema = api.schemas[name]
  const told = schema === undefined ? undefined : toldOf(schema)
  if (typeof schema !== 'object' || told === undefined || branchesOf(schema).length > 0) return undefined
  const refs = descendants(familiesOf(api), name).map((each) => `#/schemas/${escapeSegment(each)}`)
  return refs.length === 0
    ? undefined
    : { property: told.property, refs: table(api, told, refs), required: false }
}

/** A discriminator as SchemaReader writes it. */
interface Told {
  readonly property: string
  readonly mapping: Readonly<Record<string, string>>
}

function toldOf(schema: JsonSchema): Told | undefined {
  // Written by SchemaReader.
  return typeof schema === 'boolean' ? undefined : (schema.discriminator as Told | undefined)
}

function branchesOf({ oneOf, anyOf }: Exclude<JsonSchema, boolean>): readonly JsonSchema[] {
  const list = oneOf ?? anyOf
  return Array.isArray(list) ? list.map(asSchema) : []
}

/** What `mapping` says; for a schema that it leaves out the values its own property allows, else its name. */
function table(api: Api, { property, mapping }: Told, refs: readonly string[]): ReadonlyMap<string, string> {
  const mapped = Object.entries(mapping).filter(([, ref]) => refs.includes(ref))
  const others = refs.flatMap((ref) => {
    if (mapped.some(([, each]) => each === ref)) return []
    const own = shapeOf(api, resolve(api, ref)).properties.get(property) ?? []
    const allowed = own
      .flatMap((schema) => shapeOf(api, schema).values ?? [])
      .filter((value) => typeof value === 'string')
    const values = allowed.length === 1 ? allowed : [namedSchemaOf({ $ref: ref }) ?? ref]
    return values.map((value) => [value, ref] as const)
  })
  return new Map([...others, ...mapped])
}

const families = new WeakMap<Api, ReadonlyMap<string, readonly string[]>>()

/** The schemas that are made from each with `allOf`. */
function familiesOf(api: Api): ReadonlyMap<string, readonly string[]> {
  const known = families.get(api)
  if (known !== undefined) return known
  const children = new Map<string, string[]>()
  for (const name of Object.keys(api.schemas)) {
    for (const parent of parentsOf(api.schemas[name] ?? true))
      children.set(parent, [...(children.get(parent) ?? []), name])
  }
  families.set(api, children)
  return children
}

function parentsOf(schema: JsonSchema): readonly string[] {
  const allOf = typeof schema === 'object' && Array.isArray(schema.allOf) ? schema.allOf.map(asSchema) : []
  return allOf.map(namedSchemaOf).filter((name) => name !== undefined)
}

function descendants(children: ReadonlyMap<string, readonly string[]>, name: string): readonly string[] {
  const found = new Set<string>()
  const visit = (parent: string) => {
    for (const child of children.get(parent) ?? []) {
      if (found.has(child)) continue
      found.add(child)
      visit(child)
    }
  }
  visit(name)
  return [...found]
}
