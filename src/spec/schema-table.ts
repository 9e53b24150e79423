import type { Api, JsonSchema } from './api.ts'
import { type Checkable, checkable } from './checkable.ts'
import { valueAt } from './pointers.ts'

/**
 * The schemas of an API that its validators refer to, each converted once, when something that refers to it is compiled. Validators know
 * them by short keys: names of specs may hold anything, URIs may not.
 */
export class SchemaTable {
  readonly #api: Api
  readonly #refs: { readonly ref: string; readonly hidden: boolean }[] = []
  readonly #keys = new Map<string, string>()
  readonly #converted: Checkable[] = []

  constructor(api: Api) {
    this.#api = api
  }

  /** A schema in the form validators take. What it refers to is in the table from then on. */
  convert(schema: JsonSchema): Checkable {
    const keyOf = (ref: string, hidden: boolean) => this.#keyOf(ref, hidden)
    const converted = checkable(schema, { keyOf, hidden: false })
    for (;;) {
      const next = this.#refs[this.#converted.length]
      if (next === undefined) return converted
      this.#converted.push(checkable(resolve(this.#api, next.ref), { keyOf, hidden: next.hidden }))
    }
  }

  /** The schemas that were added since the table had `known` of them, with their keys. */
  since(known: number): readonly (readonly [string, Checkable])[] {
    return this.#converted.slice(known).map((schema, index) => [`s${known + index}`, schema])
  }

  /** What the spec calls a branch that is a reference. */
  nameOf(branch: Checkable): string | undefined {
    if (typeof branch === 'boolean' || typeof branch.$ref !== 'string') return undefined
    const known = this.#refs[Number(branch.$ref.slice(1))]
    return known?.ref
      .slice(known.ref.lastIndexOf('/') + 1)
      .replaceAll('~1', '/')
      .replaceAll('~0', '~')
  }

  /** What is referred to from a hidden place is another schema than the same where it may be told. */
  #keyOf(ref: string, hidden: boolean): string {
    const name = hidden ? `hidden ${ref}` : ref
    const known = this.#keys.get(name)
    if (known !== undefined) return known
    const key = `s${this.#refs.length}`
    this.#refs.push({ ref, hidden })
    this.#keys.set(name, key)
    return key
  }
}

/** The schema that a reference of an Api (`#/schemas/…`, `#/parts/…`) means. */
export function resolve(api: Pick<Api, 'schemas' | 'parts'>, ref: string): JsonSchema {
  // Such references are pointers into the Api, checked when the spec was read; where nothing stands, anything is allowed.
  return (valueAt(api, ref.slice(1)) ?? true) as JsonSchema
}
