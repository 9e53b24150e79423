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
import { linkParent, memberNames, type ParentClass, parentNameOf } from './parent-class.ts'
import { escapeSegment } from './pointers.ts'
import { type Fields, type MakeModel, Revivers } from './reviver.ts'
import { modelNameOf } from './shape.ts'

/** Where the models of an API come from. */
export interface ModelOrigin {
  /** The API's name. */
  readonly name: string
  /** Loads the spec. */
  load(): Api
  /** Loads the generated file, where there is one; it defines its classes. */
  loadClasses(): void
  /** The class of a parent's dotted name. @throws SetupError `PARENT_UNFIT` */
  parent(name: string): ParentClass
}

/**
 * The models of one API: the classes of its generated file, or, for schemas without one, classes made when they are first asked for. Nothing is loaded
 * before it is needed: neither the spec, nor the generated file, nor the modules of parents.
 */
export class ApiModels implements ModelSource {
  readonly name: string
  readonly #origin: ModelOrigin
  readonly #classes = new Map<string, ModelClass>()
  readonly #parents = new Map<ModelClass, string>()
  readonly #schemas = new Map<string, ModelSchema>()
  #hasLoadedClasses = false
  #checker: Checker | undefined
  #revivers: Revivers | undefined
  #requestRevivers: Revivers | undefined

  constructor(origin: ModelOrigin) {
    this.name = origin.name
    this.#origin = origin
  }

  /** Checks values against the API's schemas. */
  get checker(): Checker {
    this.#checker ??= new Checker(this.#origin.load())
    return this.#checker
  }

  /** Turns JSON into models, Dates and defaults. */
  get revivers(): Revivers {
    const maker = (model: string) => this.#maker(model, this.#schemaOf(model).fields)
    this.#revivers ??= new Revivers({ checker: this.checker, maker })
    return this.#revivers
  }

  /** The same for the bodies of requests, of which readOnly properties are ignored. */
  get requestRevivers(): Revivers {
    const maker = (model: string) => this.#maker(model, this.#fieldsOf(model, this.requestRevivers))
    this.#requestRevivers ??= new Revivers({ checker: this.checker, maker, ofRequests: true })
    return this.#requestRevivers
  }

  /** Makes `model` the class of a schema; `parent` is the dotted name of what it is linked to when it is first needed. */
  define(name: string, model: ModelClass, parent?: string): void {
    if (this.#classes.has(name)) this.#forgetClasses()
    this.#classes.set(name, model)
    if (parent !== undefined) this.#parents.set(model, parent)
    const entry: ModelEntry = { source: this, name }
    Object.defineProperty(model.prototype, modelEntry, { value: entry, configurable: true })
  }

  /** The class of a schema, linked to its parent; undefined where the API has no such model. @throws SetupError `PARENT_UNFIT` */
  find(name: string): ModelClass | undefined {
    const model = this.#classes.get(name) ?? this.#generated(name) ?? this.#made(name)
    const parent = model && this.#parents.get(model)
    if (model === undefined || parent === undefined) return model
    linkParent(model, this.#origin.parent(parent))
    this.#parents.delete(model)
    return model
  }

  /** The names of all models, in the order of the spec. */
  names(): readonly string[] {
    const { api } = this.checker
    return Object.keys(api.schemas).filter((name) => isModel(api, name))
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

  check(instance: object, model: string): void {
    const { check } = this.#schemaOf(model)
    if (!check.fits(instance, 'model')) throw new ModelError(model, check.faults(instance, 'model', model))
  }

  #generated(name: string): ModelClass | undefined {
    if (!this.#hasLoadedClasses) {
      this.#hasLoadedClasses = true
      this.#origin.loadClasses()
    }
    return this.#classes.get(name)
  }

  #made(name: string): ModelClass | undefined {
    const { api } = this.checker
    if (!isModel(api, name)) return undefined
    const made = class extends Model {}
    Object.defineProperty(made, 'name', { value: name })
    this.define(name, made, parentNameOf(api.schemas[name]))
    return made
  }

  /** Forgets what makes instances of the classes known so far. */
  #forgetClasses(): void {
    this.#revivers = undefined
    this.#requestRevivers = undefined
    this.#schemas.clear()
  }

  #maker(name: string, fields: Fields): MakeModel {
    const model = this.find(name)
    if (model === undefined) return (data) => data
    const prototype: object = model.prototype
    return (data) => (isInstance(data, prototype) ? data : fields.fill(Object.create(prototype), data))
  }

  #schemaOf(name: string): ModelSchema {
    const known = this.#schemas.get(name)
    if (known !== undefined) return known
    const check = this.checker.check(this.checker.api.schemas[name] ?? false)
    const made = { check, fields: this.#fieldsOf(name, this.revivers) }
    this.#schemas.set(name, made)
    return made
  }

  #fieldsOf(name: string, revivers: Revivers): Fields {
    const model = this.find(name)
    const members = model === undefined ? new Set<string>() : memberNames(model)
    return revivers.fieldsOf(this.checker.api.schemas[name] ?? false, members)
  }
}

interface ModelSchema {
  readonly check: ValueCheck
  readonly fields: Fields
}

/** Data may have a property of the method's name. */
function isInstance(data: object, prototype: object): boolean {
  return Object.prototype.isPrototypeOf.call(prototype, data)
}

function isModel(api: Api, name: string): boolean {
  return Object.hasOwn(api.schemas, name) && modelNameOf(api, refTo(name)) === name
}

function refTo(name: string): { readonly $ref: string } {
  return { $ref: `#/schemas/${escapeSegment(name)}` }
}
