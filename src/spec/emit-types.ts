import type { Api, JsonSchema } from './api.ts'
import { type Directions, directionsOf, isMarked } from './directions.ts'
import { familyDiscriminator } from './discriminators.ts'
import type { EmitNames } from './emit-names.ts'
import { escapeSegment } from './pointers.ts'
import { resolve } from './resolve.ts'
import { aliasOf, modelNameOf, nonNullOf, type Shape, shapeOf } from './shape.ts'

/**
 * Schemas as the text of types. A schema has two: of its values as code gets them (`value`: models, Dates), and of data that becomes such a
 * value (`init`: plain objects and text as well). Where it has readOnly or writeOnly properties it has three more: of what came in a request
 * (`request`), of what is given to be sent in one (`sent`) and in a reply (`reply`).
 */
export type Side = 'value' | 'init' | 'request' | 'sent' | 'reply'

export class TypeTexts {
  readonly #api: Api
  readonly #names: EmitNames
  readonly #twoSided = new Map<string, boolean>()
  readonly #directions: Directions

  constructor(api: Api, names: EmitNames) {
    this.#api = api
    this.#names = names
    this.#directions = directionsOf(api)
    names.addDirections(this.#directions)
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

  /** The sides on which what a reference means has a type of its own. */
  sidesOf(ref: string): readonly Side[] {
    const isTwoSided = this.#isTwoSided(ref)
    const sides: readonly Side[] = isTwoSided ? ['value', 'init'] : ['value']
    const { inRequests, inReplies } = this.#directions
    const request: readonly Side[] = isTwoSided ? ['request', 'sent'] : ['request']
    return [
      ...sides,
      ...(inRequests.has(ref) ? request : []),
      ...(inReplies.has(ref) ? (['reply'] as const) : []),
    ]
  }

  /** The name of the type that a reference means on a side. */
  nameOf(ref: string, side: Side): string {
    const name = this.#names.ofRef(ref)
    if (side === 'reply' && this.#directions.inReplies.has(ref)) return this.#names.replyOf(name)
    const own = isInRequest(side) && this.#directions.inRequests.has(ref) ? this.#names.requestOf(name) : name
    return !isValue(side) && this.#isTwoSided(ref) ? this.#names.initOf(own) : own
  }

  /** Whether what a reference means differs between its two sides: whether a model or a Date is in it. */
  #isTwoSided(ref: string): boolean {
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
    const members = [target, ...new Set(family?.refs.values())].map((each) => this.nameOf(each, side))
    const text = unionOf(members)
    const isNullable =
      model !== undefined && shapeOf(this.#api, resolve(this.#api, target)).types?.has('null')
    return isNullable ? unionOf([text, 'null']) : text
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
        return isValue(side) ? 'Date' : 'Date | string'
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
    return isValue(side) ? list : `readonly ${list}`
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
    const members = [...this.members(shape, side).values()]
    // The type of the others would have to hold the named ones too.
    if (isOpen(shape)) members.push('[name: string]: unknown')
    return `{ ${members.join('; ')} }`
  }

  /** `name: type` for each property that is there on a side, by name. */
  members(shape: Shape, side: Side): ReadonlyMap<string, string> {
    return new Map(
      [...shape.properties].flatMap(([name, schemas]): [string, string][] => {
        if (isInRequest(side) && isMarked(this.#api, schemas, 'readOnly')) return []
        const isAbsent = side === 'reply' && isMarked(this.#api, schemas, 'writeOnly')
        const type = isAbsent ? 'undefined' : this.ofProperty(schemas, side)
        return [
          [
            name,
            this.#isPresent(name, shape, side) ? `${memberName(name)}: ${type}` : optional(name, type, side),
          ],
        ]
      }),
    )
  }

  /** Whether a value surely has a property: it is required there, or has a default that is filled in. */
  #isPresent(name: string, { properties, required }: Shape, side: Side): boolean {
    const schemas = properties.get(name) ?? []
    const hasDefault = schemas.some((schema) => typeof schema === 'object' && schema.default !== undefined)
    if (hasDefault) return isValue(side)
    return required.has(name) && (isInRequest(side) || !isMarked(this.#api, schemas, 'writeOnly'))
  }
}

/** Whether a side is of values as code gets them. */
function isValue(side: Side): boolean {
  return side === 'value' || side === 'request'
}

function isInRequest(side: Side): boolean {
  return side === 'request' || side === 'sent'
}

/** Whether a schema says that there are properties beside the named ones. */
export function isOpen({ patterns, additional }: Shape): boolean {
  return patterns.length > 0 || (additional !== undefined && additional !== false)
}

function optional(name: string, type: string, side: Side): string {
  return isValue(side)
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
