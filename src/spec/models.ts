import { MacaronError } from '../core/errors.ts'
import type { ValueFault } from './api.ts'
import { cloneOf, plainOf } from './plain.ts'

/**
 * Models: the named schemas of a spec as classes. An instance has its data as own properties and nothing else, so it spreads, logs and
 * compares like a plain object; what it can do stands on its prototype.
 */

/** What the classes of one API need to check and fill their instances; given to them by `defineModels`. */
export interface ModelSource {
  /** The API's name. */
  readonly name: string
  /** Checks `init` against the schema `model` and copies it into `instance`. @throws ModelError */
  initialise(instance: object, model: string, init: unknown): void
  /** Whether an instance still is what its schema says, after whatever was assigned to it. @throws ModelError */
  check(instance: object, model: string): void
}

/** Which schema a class is of. */
export interface ModelEntry {
  readonly source: ModelSource
  /** The schema's name in the spec. */
  readonly name: string
}

/** Where a model's prototype has its entry. */
export const modelEntry: unique symbol = Symbol('macaron.model')

/** A class of models. */
export type ModelClass = (new (init: never) => Model) & Pick<typeof Model, 'from'>

type InitArguments<Init> = object extends Init ? [init?: Init] : [init: Init]

/**
 * The base of all models. `new Account({ … })` checks what it is given, fills in defaults, and turns text of format date-time into
 * Dates and nested data into models. Later assignments are not checked.
 */
export class Model<Init extends object = object> {
  declare readonly [modelEntry]: ModelEntry | undefined

  /** A model with a parent has that one's prototype in its line, where Model's would be. */
  static [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: subclasses inherit this, and have their prototype in the line as usual.
    if (this !== Model) return Function.prototype[Symbol.hasInstance].call(this, value)
    return typeof value === 'object' && value !== null && modelEntry in value
  }

  /** @throws ModelError `MODEL_INVALID` naming every path, value and rule that doesn't fit. */
  constructor(...[init]: InitArguments<Init>) {
    const entry = this[modelEntry]
    if (entry === undefined) {
      throw new MacaronError(
        'MODEL_UNDEFINED',
        `${new.target.name} extends Model, but no spec defines it: extend a class of a generated file (apis/<name>.gen.ts)`,
      )
    }
    entry.source.initialise(this, entry.name, init ?? {})
  }

  /** The model of parsed JSON; the same as `new`, for data whose type is not known. @throws ModelError `MODEL_INVALID` */
  static from<Class extends new (init: never) => Model>(this: Class, json: unknown): InstanceType<Class> {
    // The constructor checks what it is given, whatever its type.
    return new this(json as never) as InstanceType<Class>
  }

  /** The data as JSON has it: plain objects all the way down, Dates as text. */
  toJSON(): Record<string, unknown>
  toJSON(key?: unknown): object {
    // JSON.stringify passes a key: it takes own properties and asks nested values itself, so that it needs no copy.
    return key === undefined ? plainOf(this) : this
  }

  /** A copy that shares nothing with this one. */
  clone(): this {
    return cloneOf(this)
  }
}

/** A value that doesn't fit the schema of its model. */
export class ModelError extends MacaronError {
  /** Every path with what is wrong there. */
  readonly faults: readonly ValueFault[]

  constructor(model: string, faults: readonly ValueFault[]) {
    const list = faults.map(({ path, message }) => `${path} ${message}`)
    super('MODEL_INVALID', `This is no ${model}: ${list.join('; ')}`)
    this.faults = faults
  }
}

/** The entry of an instance of a model; undefined for any other object. */
export function modelEntryOf(value: object): ModelEntry | undefined {
  return value instanceof Model ? value[modelEntry] : undefined
}
