import type { Api, JsonSchema } from './api.ts'
import { type Checkable, type Converting, checkable, choices, type ReferenceKind } from './checkable.ts'
import { namedSchemaOf } from './dialect.ts'
import { isMarked } from './directions.ts'
import { type Discriminator, familyDiscriminator, unionDiscriminator } from './discriminators.ts'
import { resolve } from './resolve.ts'
import { shapeOf } from './shape.ts'

/**
 * The schemas of an API that its validators refer to, each converted once, when something that refers to it is compiled. Validators know
 * them by short keys: names of specs may hold anything, URIs may not.
 */
export class SchemaTable {
  readonly #api: Api
  readonly #refs: Referred[] = []
  readonly #keys = new Map<string, string>()
  readonly #converted: Checkable[] = []

  constructor(api: Api) {
    this.#api = api
  }

  /** A schema in the form validators take. What it refers to is in the table from then on. */
  convert(schema: JsonSchema): Checkable {
    const converted = checkable(schema, this.#converting({ hidden: false, base: false }))
    for (;;) {
      const next = this.#refs[this.#converted.length]
      if (next === undefined) return converted
      this.#converted.push(this.#target(next))
    }
  }

  #converting(kind: ReferenceKind): Converting {
    return {
      ...kind,
      keyOf: (ref, { hidden, base }) => this.#keyOf({ ref, hidden, base: base || !this.#hasFamily(ref) }),
      discriminatorOf: (schema) => unionDiscriminator(this.#api, schema),
      propertiesOf: (schema) => shapeOf(this.#api, schema).properties,
      isMarked: (property, keyword) => isMarked(this.#api, property, keyword),
    }
  }

  #target({ ref, hidden, base }: Referred): Checkable {
    const converting = this.#converting({ hidden, base: false })
    const family = base ? undefined : this.#familyOf(ref)
    if (family === undefined) return checkable(resolve(this.#api, ref), converting)
    return { $ref: converting.keyOf(ref, { hidden, base: true }), ...choices(family, converting) }
  }

  #hasFamily(ref: string): boolean {
    return this.#familyOf(ref) !== undefined
  }

  #familyOf(ref: string): Discriminator | undefined {
    const name = namedSchemaOf({ $ref: ref })
    return name === undefined ? undefined : familyDiscriminator(this.#api, name)
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

  #keyOf(referred: Referred): string {
    const { ref, hidden, base } = referred
    const name = `${hidden ? 'hidden' : ''} ${base ? 'base' : ''} ${ref}`
    const known = this.#keys.get(name)
    if (known !== undefined) return known
    const key = `s${this.#refs.length}`
    this.#refs.push(referred)
    this.#keys.set(name, key)
    return key
  }
}

/** A schema that is referred to, and in which of its forms. */
interface Referred extends ReferenceKind {
  readonly ref: string
}
