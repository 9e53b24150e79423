import { createRequire } from 'node:module'
import type { Ajv2020, ValidateFunction } from 'ajv/dist/2020.js'
import { checkKeywords, containsKeyword, unevaluatedKeyword, unionKeyword } from './check-keywords.ts'
import type { Checkable } from './checkable.ts'
import { regexOf } from './schema-keywords.ts'
import type { SchemaTable } from './schema-table.ts'

/** What validators that tell faults need. */
export interface Telling {
  /** Decides which branch of a union fits. */
  readonly quick: Validators
  /** All faults, or the first one. */
  readonly faults: 'all' | 'first'
}

/**
 * Ajv for one API. Schemas stay references in it: nothing is dereferenced, and what no request needs costs nothing. Quick validators say yes
 * or no; telling ones collect what a fault's message needs.
 */
export class Validators {
  readonly #table: SchemaTable
  readonly #ajv: Ajv2020
  #added = 0

  constructor(table: SchemaTable, telling?: Telling) {
    this.#table = table
    const { Ajv, formats } = loadAjv()
    this.#ajv = new Ajv({
      allErrors: telling?.faults === 'all',
      verbose: telling !== undefined,
      strict: false,
      validateSchema: false,
      // An unknown format says nothing about values.
      logger: false,
      formats: { ...formats, int64: exactInt64 },
      passContext: true,
      // Properties named like something that every object inherits (`constructor`) are absent until they are the value's own.
      ownProperties: true,
      inlineRefs: 12,
      // Ajv's own optimising takes as long as all the rest of compiling and makes nothing faster that V8 doesn't.
      code: { optimize: false, regExp: Object.assign(regexOf, { code: 'regexOf' }) },
    })
    for (const keyword of checkKeywords) this.#ajv.addKeyword(keyword)
    if (telling !== undefined) this.#leaveUnionsTo(telling.quick)
  }

  /** The validator of a converted schema; Ajv keeps one for each. */
  compile(schema: Checkable): ValidateFunction {
    const missing = this.#table.since(this.#added)
    this.#added += missing.length
    for (const [key, converted] of missing) this.#ajv.addSchema(converted, key)
    return this.#ajv.compile(schema)
  }

  /**
   * Looking for all faults in every branch takes exponential time where branches hold unions again, and nobody meant to fulfil all
   * branches: a union only fails as a whole here, and its nearest branch is looked at when that is told (faults.ts).
   */
  #leaveUnionsTo(quick: Validators): void {
    for (const keyword of ['anyOf', 'oneOf'] as const) {
      this.#ajv.removeKeyword(keyword)
      this.#ajv.addKeyword(unionKeyword(keyword, (branch) => quick.compile(branch)))
    }
    this.#ajv.removeKeyword('contains')
    this.#ajv.addKeyword(containsKeyword((kind) => quick.compile(kind)))
    for (const keyword of ['unevaluatedProperties', 'unevaluatedItems'] as const) {
      this.#ajv.removeKeyword(keyword)
      this.#ajv.addKeyword(unevaluatedKeyword(keyword, (schema) => quick.compile(schema)))
    }
  }
}

/** JSON.parse has rounded what is further from zero by the time it is checked. */
const exactInt64 = { type: 'number', validate: Number.isSafeInteger } as const

const require = createRequire(import.meta.url)

/** Ajv takes 15 MB and 50 ms to load: executors, which seldom check anything, must not pay for it at their start. */
function loadAjv() {
  // The module's own type, for a load that must be synchronous and late.
  const { Ajv2020: Ajv } = require('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js')
  // As above.
  const { fullFormats: formats } =
    require('ajv-formats/dist/formats.js') as typeof import('ajv-formats/dist/formats.js')
  return { Ajv, formats }
}
