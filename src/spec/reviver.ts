import type { Api, JsonSchema } from './api.ts'
import type { Checker } from './checker.ts'
import { isMarked } from './directions.ts'
import { type Discriminator, familyDiscriminator, unionDiscriminator } from './discriminators.ts'
import { setOwn } from './plain.ts'
import { resolve } from './resolve.ts'
import { regexOf } from './schema-keywords.ts'
import { aliasOf, modelNameOf, nonNullOf, type Shape, shapeOf } from './shape.ts'

/**
 * Turns checked JSON into what handlers get: text of format date-time into Dates, objects of named schemas into models, absent properties
 * into their defaults. Worked out once for each schema; where there is nothing to turn, the value itself goes through untouched.
 */
export class Revivers {
  readonly #api: Api
  readonly #checker: Checker
  readonly #maker: (model: string) => MakeModel
  readonly #known = new Map<JsonSchema, Reviver | undefined>()
  readonly #models = new Map<string, Reviver>()
  /** Whether values are requests, which lose their readOnly properties. */
  readonly #ofRequests: boolean

  constructor({ checker, maker, ofRequests = false }: ReviverParts) {
    this.#api = checker.api
    this.#checker = checker
    this.#maker = maker
    this.#ofRequests = ofRequests
  }

  /** The reviver of a schema's values; undefined where they stay as they are. */
  of(schema: JsonSchema): Reviver | undefined {
    if (this.#known.has(schema)) return this.#known.get(schema)
    // A schema that holds itself asks for its reviver while that is being made.
    this.#known.set(schema, (value) => {
      const reviver = this.#known.get(schema)
      return reviver === undefined ? value : reviver(value)
    })
    const made = this.#reviverOf(schema)
    this.#known.set(schema, made)
    return made
  }

  /** How a model's data is copied, piece by piece; `members` are what it has on its prototypes. */
  fieldsOf(schema: JsonSchema, members: ReadonlySet<string>): Fields {
    return this.#fields(shapeOf(this.#api, schema), members)
  }

  #fields(shape: Shape, members: ReadonlySet<string>): Fields {
    return new Fields(shape, this, { members, ignored: this.#ignored(shape) })
  }

  #ignored({ properties }: Shape): readonly string[] {
    if (!this.#ofRequests) return []
    return [...properties.keys()].filter((name) =>
      isMarked(this.#api, properties.get(name) ?? [], 'readOnly'),
    )
  }

  #reviverOf(schema: JsonSchema): Reviver | undefined {
    if (typeof schema === 'boolean') return undefined
    const nonNull = nonNullOf(schema)
    if (nonNull !== undefined) return this.of(nonNull)
    const model = modelNameOf(this.#api, schema)
    if (model !== undefined) {
      const family = familyDiscriminator(this.#api, model)
      const reviver = this.#modelReviver(model)
      return family === undefined ? reviver : this.#choice(family, reviver)
    }
    const other = typeof schema.$ref === 'string' ? resolve(this.#api, schema.$ref) : aliasOf(schema)
    if (other !== undefined) return this.of(other)
    const form = this.#formReviver(shapeOf(this.#api, schema))
    const discriminator = unionDiscriminator(this.#api, schema)
    return discriminator === undefined ? form : this.#choice(discriminator, form)
  }

  /** An object's schema is what its property says; any other value is revived as `otherwise`. */
  #choice({ property, refs }: Discriminator, otherwise: Reviver | undefined): Reviver | undefined {
    const revivers = new Map([...refs].map(([value, ref]) => [value, this.of({ $ref: ref })]))
    if (otherwise === undefined && [...revivers.values()].every((reviver) => reviver === undefined))
      return undefined
    return (value) => {
      const told = isObject(value) ? ownText(value, property) : undefined
      const reviver = told === undefined || !revivers.has(told) ? otherwise : revivers.get(told)
      return reviver === undefined ? value : reviver(value)
    }
  }

  /** One for all places that refer to a model. The class is asked for at the first value: it may need the revivers of its own properties. */
  #modelReviver(model: string): Reviver {
    const known = this.#models.get(model)
    if (known !== undefined) return known
    let make: MakeModel | undefined
    const reviver = (value: unknown) => {
      if (!isObject(value)) return value
      make ??= this.#maker(model)
      return make(value)
    }
    this.#models.set(model, reviver)
    return reviver
  }

  #formReviver(shape: Shape): Reviver | undefined {
    if (shape.branches.length > 0) return this.#unionReviver(shape.branches)
    const isDate = shape.format === 'date-time' && allows(shape, 'string')
    const items = allows(shape, 'array') ? this.#listReviver(shape) : undefined
    const fields = allows(shape, 'object') ? this.#fields(shape, noMembers) : undefined
    const copies = fields?.isNeeded === true
    if (!isDate && items === undefined && !copies) return undefined
    return (value) => {
      if (typeof value === 'string') return isDate ? new Date(value) : value
      if (Array.isArray(value)) return items === undefined ? value : items(value)
      return copies && isObject(value) ? fields.fill({}, value) : value
    }
  }

  #listReviver({ firstItems, items }: Shape): ((list: readonly unknown[]) => unknown) | undefined {
    const item = items === undefined ? undefined : this.of(items)
    const first = firstItems.map((schema) => this.of(schema))
    if (first.every((reviver) => reviver === undefined)) {
      if (item === undefined) return undefined
      return (list) => list.map((value, index) => (index < first.length ? value : item(value)))
    }
    return (list) =>
      list.map((value, index) => {
        const reviver = index < first.length ? first[index] : item
        return reviver === undefined ? value : reviver(value)
      })
  }

  /** A union's values are revived as the first branch that they fit, without what any branch that they fit has to be ignored. */
  #unionReviver(schemas: readonly JsonSchema[]): Reviver | undefined {
    const branches = schemas.map((schema) => ({
      reviver: this.of(schema),
      check: this.#checker.check(schema),
      ignored: this.#ignored(shapeOf(this.#api, schema)),
    }))
    if (branches.every(({ reviver }) => reviver === undefined)) return undefined
    const mode = this.#ofRequests ? 'request' : 'model'
    const marking = branches.filter(({ ignored }) => ignored.length > 0)
    return (value) => {
      const reviver = branches.find(({ check }) => check.fits(value, mode))?.reviver
      const ignored = marking.flatMap((branch) => (branch.check.fits(value, mode) ? branch.ignored : []))
      const kept = without(value, ignored)
      return reviver === undefined ? kept : reviver(kept)
    }
  }
}

interface ReviverParts {
  readonly checker: Checker
  readonly maker: (model: string) => MakeModel
  readonly ofRequests?: boolean
}

export type Reviver = (value: unknown) => unknown

/** Makes a model of data that has been checked; an instance of it stays itself. */
export type MakeModel = (data: object) => object

const noMembers: ReadonlySet<string> = new Set()

/**
 * Copies objects of one shape: properties that need it are revived, absent ones get their defaults, undefined ones are left out. So are those that are to be ignored, and
 * those that the schema doesn't name but a method is called by: a stranger's `isAdmin: true` must not take the place of `isAdmin()`.
 */
export class Fields {
  readonly #revivers = new Map<string, Reviver>()
  readonly #named: ReadonlySet<string>
  readonly #left: ReadonlySet<string>
  readonly #ignores: boolean
  readonly #patterns: readonly (readonly [RegExp, Reviver | undefined])[]
  readonly #additional: Reviver | undefined
  /** Whether properties that aren't named may have to be turned. */
  readonly #turnsOthers: boolean
  readonly #defaults: readonly (readonly [string, () => unknown])[]

  constructor(shape: Shape, revivers: Revivers, { members, ignored }: LeftOut) {
    this.#named = new Set(shape.properties.keys())
    this.#left = new Set([...members].filter((name) => !this.#named.has(name)).concat(ignored))
    this.#ignores = ignored.length > 0
    this.#patterns = shape.patterns.map(([pattern, schema]) => [regexOf(pattern), revivers.of(schema)])
    this.#additional = shape.additional === undefined ? undefined : revivers.of(shape.additional)
    for (const [name, schemas] of shape.properties) {
      const reviver = schemas.map((schema) => revivers.of(schema)).find((found) => found !== undefined)
      if (reviver !== undefined) this.#revivers.set(name, reviver)
    }
    this.#turnsOthers =
      this.#additional !== undefined || this.#patterns.some(([, reviver]) => reviver !== undefined)
    this.#defaults = [...shape.properties].flatMap(([name, schemas]) => {
      if (this.#left.has(name)) return []
      const value = defaultOf(schemas, this.#revivers.get(name))
      return value === undefined ? [] : [[name, value] as const]
    })
  }

  /** Whether a copy differs from the original at all. */
  get isNeeded(): boolean {
    return this.#revivers.size > 0 || this.#turnsOthers || this.#defaults.length > 0 || this.#ignores
  }

  /** Copies `source` into `target`, which is returned. */
  fill<T extends object>(target: T, source: object): T {
    // Own properties by name, which `object` has no type for; Reflect.get and Reflect.set take ten times as long.
    const from = source as Readonly<Record<string, unknown>>
    // As above.
    const to = target as Record<string, unknown>
    for (const name of Object.keys(from)) {
      const value = from[name]
      if (value === undefined || this.#left.has(name)) continue
      const reviver = this.#reviverFor(name)
      const revived = reviver === undefined ? value : reviver(value)
      if (name === '__proto__') setOwn(to, name, revived)
      else to[name] = revived
    }
    for (const [name, makeDefault] of this.#defaults) {
      if (!Object.hasOwn(to, name)) setOwn(to, name, makeDefault())
    }
    return target
  }

  #reviverFor(name: string): Reviver | undefined {
    if (!this.#turnsOthers) return this.#revivers.size === 0 ? undefined : this.#revivers.get(name)
    if (this.#named.has(name)) return this.#revivers.get(name)
    const matching = this.#patterns.filter(([pattern]) => pattern.test(name))
    if (matching.length === 0) return this.#additional
    return matching.map(([, reviver]) => reviver).find((reviver) => reviver !== undefined)
  }
}

/** The names that a copy doesn't have. */
interface LeftOut {
  /** Of what it has on its prototypes, unless the schema names it. */
  readonly members: ReadonlySet<string>
  readonly ignored: readonly string[]
}

/** Makes the default of a property, a fresh one each time. */
export function defaultOf(
  schemas: readonly JsonSchema[],
  reviver: Reviver | undefined,
): (() => unknown) | undefined {
  const value = schemas
    .map((schema) => (typeof schema === 'boolean' ? undefined : schema.default))
    .find((found) => found !== undefined)
  if (value === undefined) return undefined
  return () => {
    const fresh: unknown = structuredClone(value)
    return reviver === undefined ? fresh : reviver(fresh)
  }
}

function allows({ types }: Shape, type: string): boolean {
  return types === undefined || types.has(type)
}

function ownText(value: object, property: string): string | undefined {
  const found: unknown = Object.getOwnPropertyDescriptor(value, property)?.value
  return typeof found === 'string' ? found : undefined
}

function without(value: unknown, names: readonly string[]): unknown {
  if (!isObject(value) || names.length === 0) return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)))
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
