import { MacaronError } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import { type ModelRegistry, models } from './model-registry.ts'
import type { ModelClass } from './models.ts'

/**
 * The models of each API, `{ shop: { Account: typeof Account } }`, as generated files add them: each under a key of its own, so that services that have an
 * API of the same name can be type-checked together.
 */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging.
export interface ApiModelTypes {}

/** The APIs of the service with their models, by name. */
export type Apis = object & All<ApiModelTypes[keyof ApiModelTypes]>

/** What every part of a union has. */
export type All<Union> = (Union extends unknown ? (part: Union) => void : never) extends (
  part: infer Part,
) => void
  ? Part
  : never

/**
 * The models of the service at run time, as PyMacaron's `apipool`: `new apis.shop.Account({ … })` is the class of the generated file. Two APIs may have a
 * model of the same name. `Object.keys(apis)` are the APIs, `Object.keys(apis.shop)` their models; loaded when they are asked for.
 * @throws MacaronError `MODEL_UNKNOWN` for an API or model that does not exist.
 */
export const apis: Apis = untyped(apisOf(models))

function untyped(models: object): Apis {
  // What is in it is said by generated files, of which this module knows none.
  return models as Apis
}

/** The APIs that a registry knows, as an object. */
export function apisOf(
  registry: ModelRegistry,
): Readonly<Record<string, Readonly<Record<string, ModelClass>>>> {
  const known = new Map<string, Readonly<Record<string, ModelClass>>>()
  return listing({
    names: () => registry.apiNames(),
    find(name) {
      if (!registry.apiNames().includes(name)) return undefined
      const found = known.get(name) ?? modelsOf(registry, name)
      known.set(name, found)
      return found
    },
    unknown: (name) =>
      `There is no API ${name} here.${didYouMean(name, registry.apiNames())} An API is known once its service is loaded, or its generated file imported`,
  })
}

function modelsOf(registry: ModelRegistry, api: string): Readonly<Record<string, ModelClass>> {
  return listing({
    names: () => registry.namesOf(api),
    find: (name) => registry.find(api, name),
    unknown: (name) =>
      `There is no model ${name} in the API ${api}.${didYouMean(name, registry.namesOf(api))}`,
  })
}

interface Listed<T> {
  names(): readonly string[]
  find(name: string): T | undefined
  /** What to say of a name that isn't there. */
  unknown(name: string): string
}

/** An object whose properties are found when they are asked for. */
function listing<T>({ names, find, unknown }: Listed<T>): Readonly<Record<string, T>> {
  return new Proxy<Record<string, T>>(Object.create(null), {
    get(_, name) {
      // What promises, loggers and test frameworks ask of every object.
      if (typeof name === 'symbol' || name === 'then' || name === 'toJSON') return undefined
      const found = find(name)
      if (found === undefined) throw new MacaronError('MODEL_UNKNOWN', unknown(name))
      return found
    },
    has: (_, name) => typeof name === 'string' && find(name) !== undefined,
    ownKeys: () => [...names()],
    getOwnPropertyDescriptor: (_, name) => {
      const value = typeof name === 'string' ? find(name) : undefined
      return value === undefined
        ? undefined
        : { value, enumerable: true, configurable: true, writable: false }
    },
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
  })
}
