import type { Api, JsonSchema, Operation } from './api.ts'
import { asSchema, isSensitive, propertiesOf, schemasIn } from './checkable.ts'
import { resolve } from './resolve.ts'
import { listKeywords, mapKeywords, schemaKeywords } from './schema-keywords.ts'

/** The names of parameters and properties, at any depth of a request, whose values are never told: by what an operation's spec says of them. */
export function sensitiveNames(api: Pick<Api, 'schemas' | 'parts'>, operation: Operation): readonly string[] {
  const search = new Search(api)
  for (const { name, schema } of operation.parameters) search.named(name, schema)
  for (const { schema } of operation.body?.content ?? []) search.named('body', schema)
  return [...search.names]
}

/** The names in a path's template among them. Found at every start, so without a look at bodies. */
export function sensitivePathNames(
  api: Pick<Api, 'schemas' | 'parts'>,
  { parameters }: Operation,
): readonly string[] {
  const search = new Search(api)
  for (const { name, in: place, schema } of parameters) if (place === 'path') search.named(name, schema)
  return [...search.names]
}

class Search {
  readonly names = new Set<string>()
  readonly #api: Pick<Api, 'schemas' | 'parts'>
  readonly #known = new Map<string, boolean>()

  constructor(api: Pick<Api, 'schemas' | 'parts'>) {
    this.#api = api
  }

  /** Looks at what stands under a name. */
  named(name: string, schema: JsonSchema): void {
    if (this.#within(schema)) this.names.add(name)
  }

  /** Whether all of a value is sensitive, be it as an item of a list or in one of its forms; names within it are added. */
  #within(schema: JsonSchema): boolean {
    if (typeof schema === 'boolean') return false
    let found = isSensitive(schema)
    for (const part of partsOf(schema)) found = this.#within(part) || found
    for (const [name, part] of Object.entries(propertiesOf(schema))) this.named(name, part)
    return (typeof schema.$ref === 'string' && this.#referred(schema.$ref)) || found
  }

  #referred(ref: string): boolean {
    const known = this.#known.get(ref)
    if (known !== undefined) return known
    // What refers to itself is as sensitive as the rest of it.
    this.#known.set(ref, false)
    const found = this.#within(resolve(this.#api, ref))
    this.#known.set(ref, found)
    return found
  }
}

/** Schemas of the same value, and of parts of it that have no names. */
function partsOf(schema: Exclude<JsonSchema, boolean>): readonly JsonSchema[] {
  const lists = listKeywords.flatMap((keyword) => {
    const list = schema[keyword]
    return Array.isArray(list) ? list.map(asSchema) : []
  })
  const single = schemaKeywords.flatMap((keyword) =>
    schema[keyword] === undefined ? [] : [asSchema(schema[keyword])],
  )
  const maps = mapKeywords.flatMap((keyword) => Object.values(schemasIn(schema, keyword)))
  return [...lists, ...single, ...maps]
}
