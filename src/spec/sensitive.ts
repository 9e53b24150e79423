import { type IsSecret, isSecretName } from '../core/secrets.ts'
import { hasSecret, shownPath } from '../core/shown-url.ts'
import type { Api, JsonSchema, Operation } from './api.ts'
import { asSchema, isSensitive, propertiesOf, schemasIn } from './checkable.ts'
import { namedSchemaOf } from './dialect.ts'
import { familyDiscriminator } from './discriminators.ts'
import { resolve } from './resolve.ts'
import { listKeywords, mapKeywords, schemaKeywords } from './schema-keywords.ts'
import { aliasOf } from './shape.ts'

/** The names of parameters and properties, at any depth of a request, whose values are never told: by what an operation's spec says of them. */
export function sensitiveNames(api: Api, operation: Operation): readonly string[] {
  const search = new Search(api)
  for (const { name, schema } of operation.parameters) search.named(name, schema)
  for (const { schema } of operation.body?.content ?? []) search.named('body', schema)
  return [...search.names]
}

/** How a path of an operation is told: without the parameters that are secret, by their names or by its spec. Made at every start, so without a look at bodies. */
export function pathTeller(
  api: Api,
  { path: template, parameters }: Pick<Operation, 'path' | 'parameters'>,
): (path: string) => string {
  const search = new Search(api)
  for (const { name, in: place, schema } of parameters) if (place === 'path') search.named(name, schema)
  const isSecret: IsSecret = (name) => isSecretName(name) || search.names.has(name)
  return hasSecret(template, isSecret) ? (path) => shownPath(path, template, isSecret) : asItIs
}

function asItIs(path: string): string {
  return path
}

class Search {
  readonly names = new Set<string>()
  readonly #api: Api
  readonly #known = new Map<string, boolean>()

  constructor(api: Api) {
    this.#api = api
  }

  /** Looks at what stands under a name. */
  named(name: string, schema: JsonSchema): void {
    if (this.#within(schema)) this.names.add(name)
  }

  /**
   * Whether all of a value is sensitive, be it as an item of a list or in one of its forms; names within it are added. What others are made
   * from (`isBase`) doesn't stand for them.
   */
  #within(schema: JsonSchema, isBase = false): boolean {
    if (typeof schema === 'boolean') return false
    const { allOf, ...others } = schema
    const isPart = isBase || aliasOf(schema) === undefined
    let found = isSensitive(schema)
    for (const part of Array.isArray(allOf) ? allOf : [])
      found = this.#within(asSchema(part), isPart) || found
    for (const part of partsOf(others)) found = this.#within(part) || found
    for (const [name, part] of Object.entries(propertiesOf(schema))) this.named(name, part)
    return (typeof schema.$ref === 'string' && this.#referred(schema.$ref, isBase)) || found
  }

  #referred(ref: string, isBase: boolean): boolean {
    const key = `${isBase ? 'base' : ''} ${ref}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    // What refers to itself is as sensitive as the rest of it.
    this.#known.set(key, false)
    let found = this.#within(resolve(this.#api, ref), isBase)
    for (const member of isBase ? [] : this.#familyOf(ref)) found = this.#referred(member, true) || found
    this.#known.set(key, found)
    return found
  }

  /** The schemas that a value may be of by the discriminator of what it refers to. */
  #familyOf(ref: string): Iterable<string> {
    const name = namedSchemaOf({ $ref: ref })
    return (name === undefined ? undefined : familyDiscriminator(this.#api, name)?.refs.values()) ?? []
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
