import type { Api } from './api.ts'
import { Checker, type ValueCheck } from './checker.ts'
import {
  Model,
  type ModelClass,
  type ModelEntry,
  ModelError,
  type ModelSource,
  modelEntry,
} from './models.ts'
import { escapeSegment } from './pointers.ts'
import { type Fields, type MakeModel, Revivers } from './reviver.ts'
import { modelNameOf } from './shape.ts'

/**
 * The models of one API: the classes of its generated file, or, for schemas without one, classes made when they are first asked for. The spec is
 * loaded at the first need, so that a generated file costs nothing until a model of it is made.
 */
export class ApiModels implements ModelSource {
  readonly name: string
  readonly #load: () => Api
  readonly #classes = new Map<string, ModelClass>()
  readonly #schemas = new Map<string, ModelSchema>()
  #checker: Checker | undefined
  #revivers: Revivers | undefined

  constructor(name: string, load: () => Api) {
    this.name = name
    this.#load = load
  }

  /** Checks values against the API's schemas. */
  get checker(): Checker {
    this.#checker ??= new Checker(this.#load())
    return this.#checker
  }

  /** Turns JSON into models, Dates and defaults. */
  get revivers(): Revivers {
    this.#revivers ??= new Revivers(this.checker, (model) => this.#maker(model))
    return this.#revivers
  }

  /** Makes `model` the class of a schema. */
  define(name: string, model: ModelClass): void {
    if (this.#classes.has(name)) this.#forgetClasses()
    this.#classes.set(name, model)
    const entry: ModelEntry = { source: this, name }
    Object.defineProperty(model.prototype, modelEntry, { value: entry, configurable: true })
  }

  /** The class of a schema; undefined where the API has no such model. */
  find(name: string): ModelClass | undefined {
    const known = this.#classes.get(name)
    if (known !== undefined) return known
    const { api } = this.checker
    if (!Object.hasOwn(api.schemas, name) || modelNameOf(api, refTo(name)) !== name) return undefined
    const made = class extends Model {}
    Object.defineProperty(made, 'name', { value: name })
    this.define(name, made)
    return made
  }

  /** Forgets what was worked out from the spec, since there is a newer one; the classes stay. */
  forget(): void {
    this.#checker = undefined
    this.#forgetClasses()
  }

  initialise(instance: object, model: string, init: unknown): void {
    const { check, fields } = this.#schemaOf(model)
    if (typeof init !== 'object' || init === null || !check.fits(init, 'model')) {
      throw new ModelError(model, check.faults(init, 'model', model))
    }
    fields.fill(instance, init)
  }

  /** Forgets what makes instances of the classes known so far. */
  #forgetClasses(): void {
    this.#revivers = undefined
    this.#schemas.clear()
  }

  #maker(name: string): MakeModel {
    const model = this.find(name)
    if (model === undefined) return (data) => data
    const { fields } = this.#schemaOf(name)
    const prototype: object = model.prototype
    return (data) => (data instanceof model ? data : fields.fill(Object.create(prototype), data))
  }

  #schemaOf(name: string): ModelSchema {
    const known = this.#schemas.get(name)
    if (known !== undefined) return known
    const schema = this.checker.api.schemas[name] ?? false
    const made = { check: this.checker.check(schema), fields: this.revivers.fieldsOf(schema) }
    this.#schemas.set(name, made)
    return made
  }
}

interface ModelSchema {
  readonly check: ValueCheck
  readonly fields: Fields
}

function refTo(name: string): { readonly $ref: string } {
  return { $ref: `#/schemas/${escapeSegment(name)}` }
}
