import type { ValidateFunction } from 'ajv'
import type { Api, JsonSchema, ValueFault } from './api.ts'
import type { CheckContext, CheckMode } from './check-keywords.ts'
import type { Checkable } from './checkable.ts'
import { faultsOf } from './faults.ts'
import { SchemaTable } from './schema-table.ts'
import { type Telling, Validators } from './validators.ts'

/**
 * Checks values against the schemas of one API. A quick validator says whether there is a fault; only then is another compiled and run
 * that tells all of them, or only the first of a value so large that a stranger could make it find millions.
 */
export class Checker {
  readonly api: Api
  readonly #table: SchemaTable
  readonly #quick: Validators
  readonly #telling: Partial<Record<Telling['faults'], Validators>> = {}

  constructor(api: Api) {
    this.api = api
    this.#table = new SchemaTable(api)
    this.#quick = new Validators(this.#table)
  }

  /** The check of one schema, compiled at its first use. */
  check(schema: JsonSchema): ValueCheck {
    return new ValueCheck(() => this.#table.convert(schema), this)
  }

  /** The validator that says yes or no. */
  quick(schema: Checkable): ValidateFunction {
    return this.#quick.compile(schema)
  }

  /** The validator that tells faults. */
  telling(faults: Telling['faults'], schema: Checkable): ValidateFunction {
    this.#telling[faults] ??= new Validators(this.#table, { quick: this.#quick, faults })
    return this.#telling[faults].compile(schema)
  }

  nameOf(branch: Checkable): string | undefined {
    return this.#table.nameOf(branch)
  }
}

/** Of a value with more parts than this only the first fault is told. */
const maxParts = 10_000

const contexts: Readonly<Record<CheckMode, CheckContext>> = {
  request: { mode: 'request' },
  reply: { mode: 'reply' },
  received: { mode: 'received' },
  model: { mode: 'model' },
}

export class ValueCheck {
  readonly #convert: () => Checkable
  readonly #checker: Checker
  #schema: Checkable | undefined
  #quick: ValidateFunction | undefined

  constructor(convert: () => Checkable, checker: Checker) {
    this.#convert = convert
    this.#checker = checker
  }

  /** Whether a value fits. */
  fits(value: unknown, mode: CheckMode): boolean {
    this.#quick ??= this.#checker.quick(this.#converted())
    return this.#quick.call(contexts[mode], value)
  }

  /** The faults of a value that doesn't fit; `root` begins their paths. */
  faults(value: unknown, mode: CheckMode, root: string): readonly ValueFault[] {
    const told = isLarge(value) ? 'first' : 'all'
    const errorsOf = (schema: Checkable, part: unknown) => {
      const validate = this.#checker.telling(told, schema)
      return validate.call(contexts[mode], part) ? [] : (validate.errors ?? [])
    }
    return faultsOf(errorsOf(this.#converted(), value), {
      root,
      value,
      depth: 0,
      errorsOf,
      nameOf: (branch) => this.#checker.nameOf(branch),
    })
  }

  #converted(): Checkable {
    this.#schema ??= this.#convert()
    return this.#schema
  }
}

function isLarge(value: unknown): boolean {
  const waiting: unknown[] = [value]
  for (let count = 0; waiting.length > 0; count++) {
    if (count + waiting.length > maxParts) return true
    const part = waiting.pop()
    if (typeof part === 'object' && part !== null) waiting.push(...Object.values(part).slice(0, maxParts + 1))
  }
  return false
}
