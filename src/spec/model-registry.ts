import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MacaronError } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import type { Api } from './api.ts'
import { ApiModels } from './api-models.ts'
import { loadApiSync } from './load.ts'
import { type ModelClass, modelEntryOf } from './models.ts'
import { parentClass } from './parents.ts'
import { setOwn } from './plain.ts'
import { apiNameOf } from './read-api.ts'

/** The models a process knows, by API and name. Generated files and services meet here, in whichever order they come. */
export class ModelRegistry {
  readonly #known = new Map<string, Known>()
  readonly #loadClasses: (specFile: string) => void

  /** @param loadClasses Loads the generated file of a spec, where there is one. Default: none is looked for. */
  constructor(loadClasses: (specFile: string) => void = () => undefined) {
    this.#loadClasses = loadClasses
  }

  /** Makes the models of loaded APIs known; generated files of the same specs use what was loaded. */
  addApis(apis: readonly Api[]): void {
    for (const api of apis) this.#known.set(api.name, this.#joined(api.name, realPath(api.file), api))
  }

  /**
   * Gives the classes of a generated file to the schemas they are named after. The spec is loaded when the first model is made, unless a
   * service has loaded it by then; `parents` are the dotted names of the classes they are linked to at their first use, by schema.
   */
  define(
    specFile: string,
    classes: Readonly<Record<string, ModelClass>>,
    parents: Readonly<Record<string, string>> = {},
  ): void {
    const name = apiNameOf(specFile)
    const known = this.#joined(name, realPath(specFile), undefined)
    this.#known.set(name, known)
    for (const [schema, model] of Object.entries(classes)) {
      const parent = Object.hasOwn(parents, schema) ? parents[schema] : undefined
      known.models.define(schema, model, parent)
    }
  }

  /** The models of an API that was added. */
  of(api: Api): ApiModels {
    const known = this.#known.get(api.name)
    if (known?.api === api) return known.models
    this.addApis([api])
    return this.of(api)
  }

  /** The class of a model, from the generated file or made from the spec; undefined where there is none of that name. */
  find(api: string, name: string): ModelClass | undefined {
    return this.#known.get(api)?.models.find(name)
  }

  /** The names of the APIs that are known. */
  apiNames(): readonly string[] {
    return [...this.#known.keys()]
  }

  /** The names of an API's models, in the order of its spec, which is loaded for that; none where the API is not known. */
  namesOf(api: string): readonly string[] {
    return this.#known.get(api)?.models.names() ?? []
  }

  /** Which model an object is an instance of. */
  nameOf(value: object): { readonly api: string; readonly name: string } | undefined {
    const entry = modelEntryOf(value)
    return entry === undefined ? undefined : { api: entry.source.name, name: entry.name }
  }

  /** Whether an instance of a model still is what its schema says. @throws ModelError `MODEL_INVALID` */
  check(value: object): void {
    const entry = modelEntryOf(value)
    entry?.source.check(value, entry.name)
  }

  /**
   * An instance with these own properties; nothing is checked or turned again, and no constructor runs.
   * @throws MacaronError `MODEL_UNKNOWN`
   */
  revive(api: string, name: string, own: Readonly<Record<string, unknown>>): object {
    const model = this.find(api, name)
    if (model === undefined) {
      throw new MacaronError(
        'MODEL_UNKNOWN',
        `There is no model ${name} in the API ${api}.${didYouMean(api, this.#known.keys())}`,
      )
    }
    const instance: object = Object.create(model.prototype)
    for (const [property, value] of Object.entries(own)) setOwn(instance, property, value)
    return instance
  }

  /** What is known of a spec file, or a new start; `api` takes the place of what was loaded of it before. */
  #joined(name: string, file: string, api: Api | undefined): Known {
    const known = this.#known.get(name)
    if (known?.file !== file) return this.#newlyKnown(name, file, api)
    if (api !== undefined && known.api !== api) {
      known.api = api
      known.models.forget()
    }
    return known
  }

  #newlyKnown(name: string, file: string, api: Api | undefined): Known {
    const models = new ApiModels({
      name,
      load: () => {
        known.api ??= loadApiSync(file, { basePath: 'apply' })
        return known.api
      },
      loadClasses: () => this.#loadClasses(file),
      parent: (dotted) => parentClass(dotted, rootOf(file)),
    })
    const known: Known = { file, models, api }
    return known
  }
}

/** A service's folder: its specs are in `apis/`. */
function rootOf(specFile: string): string {
  return dirname(dirname(specFile))
}

interface Known {
  readonly file: string
  readonly models: ApiModels
  api: Api | undefined
}

function realPath(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    // The spec may be missing until a model needs it, which then says so.
    return file
  }
}

/** The models of this process: generated files define theirs when they are imported, before any service exists. */
export const models = new ModelRegistry(loadGenerated)

const require = createRequire(import.meta.url)

/** The generated file of a spec, or of a service that was built. */
function loadGenerated(specFile: string): void {
  const stem = specFile.replace(/\.(ya?ml|json)$/, '.gen')
  const file = ['.ts', '.js'].map((ending) => stem + ending).find((path) => existsSync(path))
  if (file !== undefined) require(file)
}

/**
 * What a generated file calls: gives its classes to the schemas of its spec.
 * @param specUrl Where the spec is, such as `new URL('./shop.yaml', import.meta.url)`.
 * @param parents The dotted names of the classes that `x-parent` names, by schema.
 */
export function defineModels(
  specUrl: URL,
  classes: Readonly<Record<string, ModelClass>>,
  parents?: Readonly<Record<string, string>>,
): void {
  models.define(fileURLToPath(specUrl), classes, parents)
}
