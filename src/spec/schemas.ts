import { isAnnotation } from './annotations.ts'
import type { JsonSchema } from './api.ts'
import { describeRaw, isRaw, type Raw, type SpecDocument } from './document.ts'
import { below, escapeSegment, segmentsOf, valueAt } from './pointers.ts'
import {
  checkKeyword,
  isPattern,
  isPlainKeyword,
  listKeywords,
  mapKeywords,
  readType,
  schemaKeywords,
} from './schema-keywords.ts'

/**
 * Schemas of every version of OpenAPI as JSON Schema 2020-12. References stay references: to a named schema (`#/schemas/<name>`), or,
 * where a spec points anywhere else, to a part that is converted and kept by its pointer (`#/parts/<pointer>`).
 *
 * What differs from the standards, because specs in the wild mean it: `nullable` counts beside `$ref`, `allOf` and without a
 * type, and a nullable enum takes null. Of PyMacaron: `x-nullable` is nullable, `x-mandatory` on a property makes it required.
 */

type Converted = Record<string, unknown>

const bounds = [
  ['minimum', 'exclusiveMinimum'],
  ['maximum', 'exclusiveMaximum'],
] as const

/** Keywords that say something of values as a whole, so that null must be let past them. */
const wholes = ['$ref', 'allOf', 'anyOf', 'oneOf', 'not', 'const', 'if']

/** How deep schemas may be nested; deeper ones would overflow the stack of whoever walks them. */
const maxDepth = 200

/** How the versions of OpenAPI differ in schemas. */
export interface SchemaRules {
  /** Where named schemas stand, such as `/definitions`. */
  readonly schemasAt: string
  /** Whether rules beside a `$ref` count, as in JSON Schema 2020-12 (OpenAPI 3.1); before that they were to be ignored. */
  readonly refSiblings: boolean
}

export class SchemaReader {
  readonly #document: SpecDocument
  readonly #home: string
  readonly #refSiblings: boolean
  readonly #parts: Record<string, JsonSchema> = {}
  #depth = 0

  constructor(document: SpecDocument, { schemasAt, refSiblings }: SchemaRules) {
    this.#document = document
    this.#home = schemasAt
    this.#refSiblings = refSiblings
  }

  /** What `#/parts/…` references lead to; complete when everything has been read. */
  get parts(): Readonly<Record<string, JsonSchema>> {
    return this.#parts
  }

  /** All named schemas, in the order of the file. */
  named(): Readonly<Record<string, JsonSchema>> {
    const home = valueAt(this.#document.root, this.#home)
    const entries = this.#document.entries(home, this.#home, 'The named schemas')
    return Object.fromEntries(entries.map(([name, raw]) => [name, this.read(raw, below(this.#home, name))]))
  }

  /** The schema at `pointer`; its faults go to the document. */
  read(raw: unknown, pointer: string): JsonSchema {
    if (typeof raw === 'boolean') return raw
    if (!isRaw(raw) || this.#depth > maxDepth) {
      const problem = isRaw(raw) ? 'is nested too deeply' : `must be an object, not ${describeRaw(raw)}`
      this.#document.fault(pointer, `A schema ${problem}`)
      return true
    }
    this.#depth++
    const ref = raw.$ref ?? raw.$dynamicRef
    const schema = typeof ref === 'string' ? this.#reference(raw, ref, pointer) : this.#keywords(raw, pointer)
    this.#depth--
    return isNullable(raw) ? nullable(schema) : schema
  }

  #reference(raw: Raw, ref: string, pointer: string): Converted {
    const target = this.#document.target(ref, pointer)
    const { $ref: _, $dynamicRef: __, ...beside } = raw
    const siblings = this.#siblings(beside, pointer)
    if (target === undefined) return siblings
    const reference = { $ref: this.#keep(target) }
    if (Object.keys(siblings).every(isAnnotation)) return { ...reference, ...siblings }
    const { allOf } = siblings
    return { ...siblings, allOf: [reference, ...(Array.isArray(allOf) ? allOf : [])] }
  }

  /** What stands beside a reference: notes about it in every version, rules only where they count. */
  #siblings(beside: Raw, pointer: string): Converted {
    if (this.#refSiblings) return this.#keywords(beside, pointer)
    const notes = Object.entries(beside).filter(([keyword]) => isNote(keyword))
    return notes.length === 0 ? {} : this.#keywords(Object.fromEntries(notes), pointer)
  }

  /** The converted reference to what stands at `target`, which is converted too where it is no named schema. */
  #keep(target: string): string {
    const name = this.#nameAt(target)
    if (name !== undefined) return `#/schemas/${escapeSegment(name)}`
    if (!Object.hasOwn(this.#parts, target)) {
      // Known before it is read: a part may refer to itself.
      this.#parts[target] = true
      this.#parts[target] = this.read(valueAt(this.#document.root, target), target)
    }
    return `#/parts/${escapeSegment(target)}`
  }

  #nameAt(target: string): string | undefined {
    if (!target.startsWith(`${this.#home}/`)) return undefined
    const [name, ...rest] = segmentsOf(target.slice(this.#home.length))
    return rest.length === 0 ? name : undefined
  }

  #keywords(raw: Raw, pointer: string): Converted {
    const schema: Converted = {}
    for (const [keyword, value] of Object.entries(raw)) {
      if (isPlainKeyword(keyword) && checkKeyword(this.#document, pointer, [keyword, value]))
        schema[keyword] = value
    }
    if (raw.type !== undefined) this.#type(raw.type, pointer, schema)
    this.#bounds(raw, pointer, schema)
    this.#nested(raw, pointer, schema)
    this.#properties(raw, pointer, schema)
    if (raw.discriminator !== undefined)
      schema.discriminator = this.#discriminator(raw.discriminator, below(pointer, 'discriminator'))
    const [example] = [raw.example, ...(Array.isArray(raw.examples) ? raw.examples : [])].filter(isShort)
    if (example !== undefined) schema.example = example
    // What OpenAPI 3.1 writes for the format `byte` of the versions before.
    if (schema.contentEncoding === 'base64' && schema.format === undefined) schema.format = 'byte'
    return schema
  }

  #type(type: unknown, pointer: string, schema: Converted): void {
    const known = readType(this.#document, pointer, type)
    if (known !== undefined) schema.type = known
    if (type === 'file') schema.format = 'binary'
  }

  /** A boolean `exclusiveMinimum` changes what `minimum` means; in JSON Schema it holds the bound itself. */
  #bounds(raw: Raw, pointer: string, schema: Converted): void {
    for (const [inclusive, exclusive] of bounds) {
      const bound = raw[inclusive]
      if (typeof raw[exclusive] === 'number') schema[exclusive] = raw[exclusive]
      if (bound === undefined || !checkKeyword(this.#document, pointer, [inclusive, bound])) continue
      schema[raw[exclusive] === true ? exclusive : inclusive] = bound
    }
  }

  #nested(raw: Raw, pointer: string, schema: Converted): void {
    for (const keyword of schemaKeywords) {
      if (raw[keyword] !== undefined) schema[keyword] = this.read(raw[keyword], below(pointer, keyword))
    }
    for (const keyword of mapKeywords) {
      if (raw[keyword] !== undefined) schema[keyword] = this.#byName(raw[keyword], below(pointer, keyword))
    }
    for (const keyword of listKeywords) {
      const list = this.#document.items(raw[keyword], below(pointer, keyword), `"${keyword}"`)
      if (list.length === 0) continue
      schema[keyword] = list.map((branch, index) => this.read(branch, below(pointer, keyword, index)))
    }
  }

  /** Schemas by name, such as `properties`; those of `patternProperties` are named by patterns. */
  #byName(raw: unknown, pointer: string): Readonly<Record<string, JsonSchema>> {
    const keyword = segmentsOf(pointer).at(-1) ?? ''
    const entries = this.#document.entries(raw, pointer, `"${keyword}"`)
    const kept = entries.filter(([name]) => {
      if (keyword !== 'patternProperties' || isPattern(name)) return true
      this.#document.fault(below(pointer, name), `${describeRaw(name)} is no regular expression`)
      return false
    })
    return Object.fromEntries(kept.map(([name, part]) => [name, this.read(part, below(pointer, name))]))
  }

  #properties(raw: Raw, pointer: string, schema: Converted): void {
    const at = below(pointer, 'properties')
    if (raw.properties !== undefined) schema.properties = this.#byName(raw.properties, at)
    const entries = isRaw(raw.properties) ? Object.entries(raw.properties) : []
    const required = this.#required(raw, pointer)
    const mandatory = entries.filter(([, part]) => isRaw(part) && part['x-mandatory'] === true)
    const all = new Set([...required, ...mandatory.map(([name]) => name)])
    if (all.size > 0) schema.required = [...all]
  }

  /** In 2.0 the property's name, later an object; what is mapped may be told by its name or by a reference. */
  #discriminator(raw: unknown, pointer: string): object | undefined {
    const { propertyName = raw, mapping } = isRaw(raw) ? raw : { propertyName: raw, mapping: undefined }
    if (typeof propertyName !== 'string') {
      this.#document.fault(pointer, `"discriminator" must name a property, not ${describeRaw(propertyName)}`)
      return undefined
    }
    const at = below(pointer, 'mapping')
    const entries = this.#document.entries(mapping, at, '"mapping"').flatMap(([value, meant]) => {
      const named = below(this.#home, String(meant))
      const isName = valueAt(this.#document.root, named) !== undefined
      const target = isName ? named : this.#document.target(String(meant), below(at, value))
      return target === undefined ? [] : [[value, this.#keep(target)]]
    })
    return { property: propertyName, mapping: Object.fromEntries(entries) }
  }

  #required(raw: Raw, pointer: string): readonly string[] {
    const { required } = raw
    // On a parameter, and in drafts before OpenAPI, `required` is a boolean about the schema's owner.
    if (required === undefined || typeof required === 'boolean') return []
    if (Array.isArray(required) && required.every((name) => typeof name === 'string')) return required
    this.#document.fault(
      below(pointer, 'required'),
      `"required" must be a list of property names, not ${describeRaw(required)}`,
    )
    return []
  }
}

/** Enough to try an operation with; whole documents, which specs have by the megabyte, are left. */
function isShort(example: unknown): boolean {
  if (isRaw(example)) return Object.keys(example).length <= 20 && Object.values(example).every(isScalar)
  return isScalar(example)
}

function isScalar(value: unknown): boolean {
  return ['number', 'boolean'].includes(typeof value) || (typeof value === 'string' && value.length <= 100)
}

function isNullable(raw: Raw): boolean {
  return raw.nullable === true || raw['x-nullable'] === true
}

/** A schema that takes null as well; notes stay on the whole. */
function nullable(schema: Converted): Converted {
  if (wholes.some((keyword) => keyword in schema)) {
    const entries = Object.entries(schema)
    const isOutside = (keyword: string) => isAnnotation(keyword) && keyword !== 'discriminator'
    const notes = Object.fromEntries(entries.filter(([keyword]) => isOutside(keyword)))
    const rest = Object.fromEntries(entries.filter(([keyword]) => !isOutside(keyword)))
    return { anyOf: [rest, { type: 'null' }], ...notes }
  }
  const type = schema.type === undefined ? {} : { type: [...new Set([schema.type, 'null'].flat())] }
  const values = Array.isArray(schema.enum) ? { enum: [...new Set([...schema.enum, null])] } : {}
  return { ...schema, ...type, ...values }
}

/** What says something of the place where a reference stands. A default or title is left to versions that define it there. */
function isNote(keyword: string): boolean {
  return isAnnotation(keyword) && keyword !== 'default' && keyword !== 'title' && keyword !== 'discriminator'
}
