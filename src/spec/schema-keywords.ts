import { didYouMean } from '../core/nearest.ts'
import type { SpecDocument } from './document.ts'
import { describeRaw, isRaw } from './document.ts'
import { below } from './pointers.ts'

/**
 * Which keywords of schemas are read, and what each may hold; others say nothing about values and are dropped. Those of JSON Schema 2020-12 are read
 * in every version of OpenAPI: in 2.0 and 3.0 they have no other meaning.
 */

type Kind =
  | 'text'
  | 'number'
  | 'count'
  | 'boolean'
  | 'list'
  | 'values'
  | 'names'
  | 'any'
  | 'pattern'
  | 'class'

/** Keywords that mean the same in JSON Schema 2020-12 and hold no schemas. */
const plainKeywords: Readonly<Record<string, Kind>> = {
  title: 'text',
  description: 'text',
  format: 'text',
  pattern: 'pattern',
  default: 'any',
  enum: 'values',
  const: 'any',
  multipleOf: 'number',
  maxLength: 'count',
  minLength: 'count',
  maxItems: 'count',
  minItems: 'count',
  maxContains: 'count',
  minContains: 'count',
  maxProperties: 'count',
  minProperties: 'count',
  dependentRequired: 'names',
  uniqueItems: 'boolean',
  readOnly: 'boolean',
  writeOnly: 'boolean',
  deprecated: 'boolean',
  contentEncoding: 'text',
  contentMediaType: 'text',
  'x-parent': 'class',
}

const typeNames = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'null']

const fits: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  count: (value) => Number.isInteger(value) && Number(value) >= 0,
  boolean: (value) => typeof value === 'boolean',
  list: (value) => Array.isArray(value),
  values: (value) => Array.isArray(value) && value.length > 0,
  names: isNamesByName,
  any: () => true,
  pattern: (value) => typeof value === 'string' && isPattern(value),
  class: (value) => typeof value === 'string' && /^[\w-]+(\.[\w-]+)*\.[A-Za-z_$][\w$]*$/.test(value),
}

const wording: Readonly<Record<Kind, string>> = {
  text: 'text',
  number: 'a number',
  count: 'a whole number, 0 or more',
  boolean: 'true or false',
  list: 'a list',
  values: 'a list of one value or more',
  names: 'an object with a list of property names for each property',
  any: 'anything',
  pattern: 'a regular expression',
  class: 'the dotted name of a class, such as shop.models.AccountParent',
}

/** A keyword and its value. */
type Entry = readonly [string, unknown]

/** Whether this keyword is taken over as it is: a known one with the right kind of value, or an extension. */
export function isPlainKeyword(keyword: string): boolean {
  return Object.hasOwn(plainKeywords, keyword) || keyword.startsWith('x-')
}

/** Says whether a keyword of the schema at `pointer` holds the kind of value it must; a fault where not. */
export function checkKeyword(document: SpecDocument, pointer: string, [keyword, value]: Entry): boolean {
  const kind = plainKeywords[keyword] ?? (keyword.startsWith('x-') ? 'any' : 'number')
  if (fits[kind](value)) return true
  document.fault(below(pointer, keyword), `"${keyword}" must be ${wording[kind]}, not ${describeRaw(value)}`)
  return false
}

/** The JSON Schema type of a `type`, `file` being text; undefined with a fault for an unknown one. */
export function readType(
  document: SpecDocument,
  pointer: string,
  type: unknown,
): string | string[] | undefined {
  if (type === 'file') return 'string'
  if (typeof type === 'string' && typeNames.includes(type)) return type
  if (Array.isArray(type) && type.every((name) => typeNames.includes(name))) return type
  const hint = typeof type === 'string' ? didYouMean(type, typeNames) : ''
  document.fault(
    below(pointer, 'type'),
    `Unknown type ${describeRaw(type)}: it must be one of ${typeNames.join(', ')}.${hint}`,
  )
  return undefined
}

/** A regular expression of a spec, with the `u` flag where it allows that. */
export function regexOf(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'u')
  } catch {
    return new RegExp(pattern)
  }
}

function isNamesByName(value: unknown): boolean {
  if (!isRaw(value)) return false
  return Object.values(value).every((list) => Array.isArray(list) && list.every(isText))
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

/** Whether a text is a regular expression. */
export function isPattern(text: string): boolean {
  try {
    regexOf(text)
    return true
  } catch {
    return false
  }
}

/** Keywords that hold a schema, a list of schemas, and schemas by name; `properties` is apart. */
export const schemaKeywords = [
  'items',
  'not',
  'additionalProperties',
  'contains',
  'propertyNames',
  'if',
  'then',
  'else',
  'unevaluatedItems',
  'unevaluatedProperties',
]
export const listKeywords = ['allOf', 'anyOf', 'oneOf', 'prefixItems']
export const mapKeywords = ['patternProperties', 'dependentSchemas']
