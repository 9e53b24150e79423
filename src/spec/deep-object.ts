import type { Api, JsonSchema } from './api.ts'
import { setOwn } from './plain.ts'
import { decoded, type Texts } from './raw-query.ts'
import { textReader } from './scalars.ts'
import { type Shape, shapeOf } from './shape.ts'

/**
 * Query parameters of style `deepObject`: `filter[age][min]=18`. Deeper levels and lists (`ids[]=1&ids[]=2`, `ids[0]=1`), which OpenAPI leaves
 * open, are read the way clients write them.
 */
export class DeepObject {
  readonly #api: Api
  readonly #name: string
  readonly #schema: JsonSchema

  constructor(api: Api, name: string, schema: JsonSchema) {
    this.#api = api
    this.#name = name
    this.#schema = schema
  }

  /** The value that a query has; undefined where it has none. */
  read(texts: Texts): unknown {
    const root = newBranch()
    for (const [name, values] of texts) {
      const keys = this.#keysOf(name)
      if (keys !== undefined) leafAt(root, keys).push(...values)
    }
    return root.children.size === 0 ? undefined : this.#valueOf(root, this.#schema)
  }

  /** The encoded texts of the parameter. */
  textsOf(texts: Texts): readonly string[] {
    return [...texts].flatMap(([name, values]) => (this.#keysOf(name) === undefined ? [] : values))
  }

  /** `['age', 'min']` of `filter[age][min]`; undefined for names of other parameters. */
  #keysOf(name: string): readonly string[] | undefined {
    if (!name.startsWith(`${this.#name}[`) || !name.endsWith(']')) return undefined
    const keys = name.slice(this.#name.length + 1, -1).split('][')
    // Copied by a handler, a key of that name would become a prototype.
    return keys.length > maxDepth || keys.includes('__proto__') ? undefined : keys
  }

  #valueOf(branch: Branch, schema: JsonSchema): unknown {
    const shape = shapeOf(this.#api, schema)
    if (branch.children.size === 0) return this.#leafValue(branch.texts, schema, shape)
    const children = [...branch.children]
    if (isList(shape)) return children.flatMap(([, child]) => this.#valueOf(child, shape.items ?? true))
    const value = {}
    for (const [key, child] of children) {
      const [property] = shape.properties.get(key) ?? []
      setOwn(value, key, this.#valueOf(child, property ?? shape.additional ?? true))
    }
    return value
  }

  /** `tags[]=a&tags[]=b` and `filter[tags]=a&filter[tags]=b` are lists where the schema says so; else a text stands alone. */
  #leafValue(texts: readonly string[], schema: JsonSchema, shape: Shape): unknown {
    const reader = textReader(this.#api, schema)
    const values = texts.map((text) => reader.read(decoded(text) ?? text))
    return isList(shape) || values.length > 1 ? values : values[0]
  }
}

interface Branch {
  readonly texts: string[]
  readonly children: Map<string, Branch>
}

const maxDepth = 20

function newBranch(): Branch {
  return { texts: [], children: new Map() }
}

function leafAt(root: Branch, keys: readonly string[]): string[] {
  let branch = root
  for (const key of keys) {
    const next = branch.children.get(key) ?? newBranch()
    branch.children.set(key, next)
    branch = next
  }
  return branch.texts
}

function isList({ types }: Shape): boolean {
  return types?.has('array') === true
}
