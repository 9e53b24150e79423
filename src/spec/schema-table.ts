import type { Api, JsonSchema } from './api.ts'
import { type Checkable, checkable } from './checkable.ts'
import { valueAt } from './pointers.ts'

/**
 * The schemas of an API that its validators refer to, each converted once, when something that refers to it is compiled. Validators know
 * them by short keys: names of specs may hold anything, URIs may not.
 */
export class SchemaTable {
  readonly #api: Api
  readonly #refs: string[] = []
  readonly #keys = new Map<string, string>()
  readonly #converted: Checkable[] = []

  constructor(api: Api) {
    this.#api = api
  }

  /** A schema in the form validators take. What it refers to is in the table from then on. */
  convert(schema: JsonSchema): Checkable {
    const converted = checkable(schema, (ref) => this.#keyOf(ref))
    while (this.#converted.length < this.#refs.length) {
      const target = resolve(this.#api, this.#refs[this.#converted.length] ?? '')
      this.#converted.push(checkable(target, (ref) => this.#keyOf(ref)))
    }
    return converted
  }

  /** The schemas that were added since the table had `known` of them, with their keys. */
  since(known: number): readonly (readonly [string, Checkable])[] {
    return this.#converted.slice(known).map((schema, index) => [`s${known + index}`, schema])
  }

  /** What the spec calls a branch that is a reference. */
  nameOf(branch: Checkable): string | undefined {
    if (typeof branch === 'boolean' || typeof branch.$ref !== 'string') return undefined
    const ref = this.#refs[Number(branch.$ref.slice(1))]
    return ref
      ?.slice(ref.lastIndexOf('/') + 1)
      .replaceAll('~1', '/')
      .replaceAll('~0', '~')
  }

  #keyOf(ref: string): string {
    const known = this.#keys.get(ref)
    if (known !== undefined) return known
    const key = `s${this.#refs.length}`
    this.#refs.push(ref)
    this.#keys.set(ref, key)
    return key
  }
}

/** The schema that a reference of an Api (`#/schemas/…`, `#/parts/…`) means. */
export function resolve(api: Pick<Api, 'schemas' | 'parts'>, ref: string): JsonSchema {
  // Such references are pointers into the Api, checked when the spec was read; where nothing stands, anything is allowed.
  return (valueAt(api, ref.slice(1)) ?? true) as JsonSchema
}
