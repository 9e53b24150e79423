import type { JsonSchema, Operation, Parameter, RawRequest, ValueFault } from './api.ts'
import type { ApiModels } from './api-models.ts'
import type { ValueCheck } from './checker.ts'
import { ParameterDecoder, type ParameterValues } from './decode.ts'
import { setOwn } from './plain.ts'
import { defaultOf, type Reviver } from './reviver.ts'

/** The parameters of an operation: read from a request, checked all at once, defaults filled in. */
export class ParameterChecks {
  readonly #decoder: ParameterDecoder
  readonly #check: ValueCheck
  readonly #finished: readonly Finish[]

  constructor(models: ApiModels, operation: Operation) {
    const { checker, revivers } = models
    this.#decoder = new ParameterDecoder(checker.api, operation)
    this.#check = checker.check(schemaOfAll(operation.parameters))
    const byPrecedence = operation.parameters.toSorted((a, b) => places.indexOf(a.in) - places.indexOf(b.in))
    this.#finished = byPrecedence.map(({ name, in: place, schema }) => {
      const reviver = revivers.of(schema)
      return { name, place, reviver, makeDefault: defaultOf([schema], reviver) }
    })
  }

  read(raw: RawRequest): ReadParameters {
    const unreadable: ValueFault[] = []
    const values = this.#decoder.decode(raw, unreadable)
    const faults = this.#faultsOf(values, unreadable)
    const named = faults.length === 0 ? this.#finish(values) : {}
    return { faults, params: values.path, query: values.query, named }
  }

  /** A parameter that can't be decoded is absent for the checks: what they say of it is left out. */
  #faultsOf(values: ParameterValues, unreadable: readonly ValueFault[]): readonly ValueFault[] {
    if (this.#check.fits(values, 'request')) return unreadable
    const paths = new Set(unreadable.map(({ path }) => path))
    const broken = this.#check.faults(values, 'request', '').filter(({ path }) => !paths.has(path))
    return [...unreadable, ...broken]
  }

  /** Fills in Dates and defaults, and gives all parameters by name; where places share a name, the path's goes before the query's. */
  #finish(values: ParameterValues): Record<string, unknown> {
    const named: Record<string, unknown> = {}
    for (const { name, place, reviver, makeDefault } of this.#finished) {
      const found = values[place]
      if (!Object.hasOwn(found, name)) {
        if (makeDefault !== undefined) setOwn(found, name, makeDefault())
      } else if (reviver !== undefined) setOwn(found, name, reviver(found[name]))
      if (Object.hasOwn(found, name) && !Object.hasOwn(named, name)) setOwn(named, name, found[name])
    }
    return named
  }
}

export interface ReadParameters {
  readonly faults: readonly ValueFault[]
  readonly params: Readonly<Record<string, unknown>>
  readonly query: Readonly<Record<string, unknown>>
  readonly named: Readonly<Record<string, unknown>>
}

interface Finish {
  readonly name: string
  readonly place: Parameter['in']
  readonly reviver: Reviver | undefined
  readonly makeDefault: (() => unknown) | undefined
}

export const places: readonly Parameter['in'][] = ['path', 'query', 'header', 'cookie']

/** One schema for the values of all places. */
export function schemaOfAll(parameters: readonly Parameter[]): JsonSchema {
  const objects = places.map((place) => {
    const here = parameters.filter((parameter) => parameter.in === place)
    const required = here.filter((parameter) => parameter.required).map(({ name }) => name)
    const properties = Object.fromEntries(here.map(({ name, schema }) => [name, schema]))
    return [place, { properties, required }] as const
  })
  return { properties: Object.fromEntries(objects) }
}
