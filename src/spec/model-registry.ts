import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { MacaronError } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import type { Api } from './api.ts'
import { ApiModels } from './api-models.ts'
import { loadApiSync } from './load.ts'
import { type ModelClass, modelEntryOf } from './models.ts'
import { setOwn } from './plain.ts'
import { apiNameOf } from './read-api.ts'

/** The models a process knows, by API and name. Generated files and services meet here, in whichever order they come. */
export class ModelRegistry {
  readonly #known = new Map<string, Known>()

  /** Makes the models of loaded APIs known; generated files of the same specs use what was loaded. */
  addApis(apis: readonly Api[]): void {
    for (const api of apis) this.#known.set(api.name, this.#joined(api.name, realPath(api.file), api))
  }

  /**
   * Gives the classes of a generated file to the schemas they are named after. The spec is loaded when the first model is made, unless a
   * service has loaded it by then.
   */
  define(specFile: string, classes: Readonly<Record<string, ModelClass>>): void {
    const name = apiNameOf(specFile)
    const known = this.#joined(name, realPath(specFile), undefined)
    this.#known.set(name, known)
    for (const [schema, model] of Object.entries(classes)) known.models.define(schema, model)
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

  /** Which model an object is an instance of. */
  nameOf(value: object): { readonly api: string; readonly name: string } | undefined {
    const entry = modelEntryOf(value)
    return entry === undefined ? undefined : { api: entry.source.name, name: entry.name }
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
    if (known?.file !== file) return newlyKnown(name, file, api)
    if (api !== undefined && known.api !== api) {
      known.api = api
      known.models.forget()
    }
    return known
  }
}

interface Known {
  readonly file: string
  readonly models: ApiModels
  api: Api | undefined
}

function newlyKnown(name: string, file: string, api: Api | undefined): Known {
  const load = () => {
    known.api ??= loadApiSync(file, { basePath: 'apply' })
    return known.api
  }
  const known: Known = { file, models: new ApiModels(name, load), api }
  return known
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
export const models = new ModelRegistry()

/**
 * What a generated file calls: gives its classes to the schemas of its spec.
 * @param specUrl Where the spec is, such as `new URL('./shop.yaml', import.meta.url)`.
 */
export function defineModels(specUrl: URL, classes: Readonly<Record<string, ModelClass>>): void {
  models.define(fileURLToPath(specUrl), classes)
}
