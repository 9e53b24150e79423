import type { Api, JsonSchema } from './api.ts'
import { familyDiscriminator } from './discriminators.ts'
import type { EmitNames } from './emit-names.ts'
import { escapeSegment } from './pointers.ts'
import { resolve } from './resolve.ts'
import { aliasOf, modelNameOf, nonNullOf, type Shape, shapeOf } from './shape.ts'

/**
 * Schemas as the text of types. A schema has two: of its values as code gets them (`value`: models, Dates), and of data that becomes such a
 * value (`init`: plain objects and text as well).
 */
export type Side = 'value' | 'init'

export class TypeTexts {
  readonly #api: Api
  readonly #names: EmitNames
  readonly #twoSided = new Map<string, boolean>()

  constructor(api: Api, names: EmitNames) {
    this.#api = api
    this.#names = names
  }

  /** The type of a schema. */
  of(schema: JsonSchema, side: Side): string {
    if (typeof schema === 'boolean') return schema ? 'unknown' : 'never'
    const nonNull = nonNullOf(schema)
    if (nonNull !== undefined) return unionOf([this.of(nonNull, side), 'null'])
    if (typeof schema.$ref === 'string') return this.#reference(schema.$ref, side)
    const other = aliasOf(schema)
    return other === undefined ? this.ofShape(shapeOf(this.#api, schema), side) : this.of(other, side)
  }

  /** The type of a shape, without its name where it has one. */
  ofShape(shape: Shape, side: Side): string {
    if (shape.values !== undefined) return unionOf(shape.values.map(literal))
    if (shape.branches.length > 0) return unionOf(shape.branches.map((branch) => this.of(branch, side)))
    if (shape.types === undefined) return this.#untyped(shape, side)
    return unionOf([...shape.types].map((type) => this.#ofType(type, shape, side)))
  }

  /** The type of a property: one that several parts of an `allOf` describe fulfils all of them. */
  ofProperty(schemas: readonly JsonSchema[], side: Side): string {
    const texts = [...new Set(schemas.map((schema) => this.of(schema, side)))]
    return texts.length === 1 ? String(texts[0]) : texts.map(grouped).join(' & ')
  }

  /** Whether what a reference means differs between its two sides: whether a model or a Date is in it. */
  isTwoSided(ref: string): boolean {
    const known = this.#twoSided.get(ref)
    if (known !== undefined) return known
    const isTwoSided = this.#holdsModels({ $ref: ref }, new Set())
    this.#twoSided.set(ref, isTwoSided)
    return isTwoSided
  }

  #holdsModels(value: unknown, seen: Set<string>): boolean {
    if (typeof value !== 'object' || value === null) return false
    const { $ref: ref, format }: { $ref?: unknown; format?: unknown } = value
    if (format === 'date-time') return true
    if (typeof ref !== 'string') return Object.values(value).some((part) => this.#holdsModels(part, seen))
    if (seen.has(ref)) return false
    seen.add(ref)
    if (modelNameOf(this.#api, { $ref: ref }) !== undefined) return true
    return this.#holdsModels(resolve(this.#api, ref), seen)
  }

  #reference(ref: string, side: Side): string {
    const model = modelNameOf(this.#api, { $ref: ref })
    const target = model === undefined ? ref : `#/schemas/${escapeSegment(model)}`
    const family = model === undefined ? undefined : familyDiscriminator(this.#api, model)
    const members = [target, ...new Set(family?.refs.values())].map((each) => this.#named(each, side))
    const text = unionOf(members)
    const isNullable =
      model !== undefined && shapeOf(this.#api, resolve(this.#api, target)).types?.has('null')
    return isNullable ? unionOf([text, 'null']) : text
  }

  #named(ref: string, side: Side): string {
    const name = this.#names.ofRef(ref)
    return side === 'init' && this.isTwoSided(ref) ? this.#names.initOf(name) : name
  }

  #untyped(shape: Shape, side: Side): string {
    const { properties, patterns, additional, items, firstItems } = shape
    if (properties.size > 0 || patterns.length > 0 || additional !== undefined)
      return this.#object(shape, side)
    return items === undefined && firstItems.length === 0 ? 'unknown' : this.#list(shape, side)
  }

  #ofType(type: string, shape: Shape, side: Side): string {
    switch (type) {
      case 'string':
        if (shape.format !== 'date-time') return 'string'
        return side === 'value' ? 'Date' : 'Date | string'
      case 'integer':
      case 'number':
        return 'number'
      case 'array':
        return this.#list(shape, side)
      case 'object':
        return this.#object(shape, side)
      default:
        return type
    }
  }

  #list({ firstItems, items = true, minItems }: Shape, side: Side): string {
    const others = items === false ? [] : [`...${grouped(this.of(items, side))}[]`]
    const first = firstItems.map((item, index) => {
      const type = this.of(item, side)
      return index < minItems ? type : `${grouped(type)}?`
    })
    const list =
      first.length === 0 ? `${grouped(this.of(items, side))}[]` : `[${[...first, ...others].join(', ')}]`
    return side === 'value' ? list : `readonly ${list}`
  }

  #object(shape: Shape, side: Side): string {
    const { additional = true, properties, patterns } = shape
    if (properties.size === 0) {
      const schemas = [...patterns.map(([, schema]) => schema), additional].filter(
        (schema) => schema !== false,
      )
      // Names that match no pattern are seldom meant, though nothing forbids them.
      const meant = patterns.length > 0 && additional === true ? schemas.slice(0, -1) : schemas
      const types = meant.map((schema) => this.of(schema, side))
      return types.length === 0 ? '{}' : `{ [name: string]: ${unionOf(types)} }`
    }
    const members = this.members(shape, side)
    // The type of the others would have to hold the named ones too.
    if (isOpen(shape)) members.push('[name: string]: unknown')
    return `{ ${members.join('; ')} }`
  }

  /** `name: type` for each property. */
  members(shape: Shape, side: Side): string[] {
    return [...shape.properties].map(([name, schemas]) => {
      const type = this.ofProperty(schemas, side)
      return isPresent(name, shape, side) ? `${memberName(name)}: ${type}` : optional(name, type, side)
    })
  }
}

/** Whether a schema says that there are properties beside the named ones. */
export function isOpen({ patterns, additional }: Shape): boolean {
  return patterns.length > 0 || (additional !== undefined && additional !== false)
}

/** Whether a value surely has a property: it is required in every direction, or has a default that is filled in. */
function isPresent(name: string, { properties, required }: Shape, side: Side): boolean {
  const schemas = (properties.get(name) ?? []).filter((schema) => typeof schema === 'object')
  if (schemas.some((schema) => schema.default !== undefined)) return side === 'value'
  return (
    required.has(name) && !schemas.some((schema) => schema.readOnly === true || schema.writeOnly === true)
  )
}

function optional(name: string, type: string, side: Side): string {
  return side === 'value'
    ? `${memberName(name)}?: ${type}`
    : `${memberName(name)}?: ${unionOf([type, 'undefined'])}`
}

/** A property's name as TypeScript writes it. */
export function memberName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name)
}

/** Types side by side, each once. */
function unionOf(types: readonly string[]): string {
  const unique = [...new Set(types)]
  return unique.length === 0 ? 'never' : unique.includes('unknown') ? 'unknown' : unique.join(' | ')
}

function grouped(type: string): string {
  return /[|&]|^readonly /.test(type) ? `(${type})` : type
}

function literal(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  return typeof value === 'object' && value !== null ? 'unknown' : JSON.stringify(value)
}

/** A string as TypeScript writes it. */
export function quoted(text: string): string {
  return /^[^'\\\p{C}\u2028\u2029]*$/u.test(text) ? `'${text}'` : JSON.stringify(text)
}
