import type { ErrorObject } from 'ajv'
import { didYouMean } from '../core/nearest.ts'

/** One broken rule of a schema in words: what was expected, and the value where it may be shown. */

/** How many of an enum's values, and how much of a value, are shown. */
const maxChoices = 12
const maxShown = 60

/** The message of a broken rule. `hidden`: the value is not to be shown. */
export function wordingOf(error: ErrorObject, hidden: boolean): string {
  const sentence = sentences[error.keyword]
  const not = hidden ? '' : `, not ${shown(error.data)}`
  return sentence === undefined ? (error.message ?? 'is not what the schema allows') : sentence(error, not)
}

/** A value in a message: text and numbers as JSON, the rest by its kind. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`
  if (typeof value !== 'object')
    return JSON.stringify(value).slice(0, maxShown) + (String(value).length > maxShown ? '…' : '')
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return value instanceof Date
    ? `the Date ${Number.isNaN(value.getTime()) ? 'that is none' : value.toISOString()}`
    : 'an object'
}

type Sentence = (error: ErrorObject, not: string) => string

const typeWords: Readonly<Record<string, string>> = {
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null',
}

const formatWords: Readonly<Record<string, string>> = {
  email: 'an email address',
  uuid: 'a UUID',
  date: 'a date such as 2026-11-23',
  time: 'a time with a time zone such as 10:00:00Z',
  uri: 'a URI',
  hostname: 'a host name',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  byte: 'base64 text',
  int32: 'a whole number from -2147483648 to 2147483647',
  int64: `a whole number of at most ±${Number.MAX_SAFE_INTEGER}, which is exact`,
}

const sentences: Readonly<Record<string, Sentence>> = {
  required: () => 'is required',
  absentInReply: () => 'is writeOnly, so no reply may have it',
  type: ({ params, data }, not) => `must be ${alternatives(typesInWords(params.type, data))}${not}`,
  dateTime: (_, not) => `must be a date and time with a time zone, such as 2026-11-23T10:00:00Z${not}`,
  format: ({ params }, not) =>
    `must be ${formatWords[params.format] ?? `in the format "${params.format}"`}${not}`,
  enum: ({ params, data }, not) =>
    `must be ${choices(params.allowedValues)}${not}.${not === '' ? '' : nearestChoice(data, params.allowedValues)}`,
  const: ({ params }, not) => `must be ${shown(params.allowedValue)}${not}.`,
  pattern: ({ params }, not) => `must match /${params.pattern}/${not}`,
  multipleOf: ({ params }, not) => `must be a multiple of ${params.multipleOf}${not}`,
  minimum: ({ params }, not) => `must be at least ${params.limit}${not}`,
  maximum: ({ params }, not) => `must be at most ${params.limit}${not}`,
  exclusiveMinimum: ({ params }, not) => `must be more than ${params.limit}${not}`,
  exclusiveMaximum: ({ params }, not) => `must be less than ${params.limit}${not}`,
  minLength: ({ params }) =>
    params.limit === 1 ? 'must not be empty' : `must have at least ${params.limit} characters`,
  maxLength: ({ params }) => `must have at most ${params.limit} characters`,
  minItems: ({ params, data }) => `must have at least ${count(params.limit, 'item')}, not ${sizeOf(data)}`,
  maxItems: ({ params, data }) => `must have at most ${count(params.limit, 'item')}, not ${sizeOf(data)}`,
  minProperties: ({ params, data }) =>
    `must have at least ${count(params.limit, 'property')}, not ${sizeOf(data)}`,
  maxProperties: ({ params, data }) =>
    `must have at most ${count(params.limit, 'property')}, not ${sizeOf(data)}`,
  uniqueItems: ({ params }) => `must not hold the same item twice, as items ${params.j} and ${params.i} are`,
  additionalProperties: ({ params, parentSchema }) =>
    `is not a known property.${didYouMean(params.additionalProperty, Object.keys(parentSchema?.properties ?? {}))}`,
  dependentRequired: ({ params }) => `is required where "${params.property}" is given`,
  contains: ({ params }) => {
    const most = params.maxContains === undefined ? '' : ` and at most ${params.maxContains}`
    return `must hold at least ${count(params.minContains, 'item')}${most} of the kind that the schema asks for`
  },
  unevaluatedProperties: () => 'is not a known property.',
  unevaluatedItems: ({ params }) => `must have at most ${count(params.limit, 'item')}`,
  items: ({ params }) => `must have at most ${count(params.limit, 'item')}`,
  not: () => 'must not be what the schema excludes',
  'false schema': () => 'is not allowed here',
}

function typesInWords(types: string | readonly string[], value: unknown): readonly string[] {
  // Only a parameter can be text of digits where a number is meant: one that would be rounded.
  const isTooLong = typeof value === 'string' && /^-?\d{16,}$/.test(value)
  return [types].flat().map((type) => {
    const words = typeWords[type] ?? type
    return isTooLong && type === 'integer' ? `${words} of at most ±${Number.MAX_SAFE_INTEGER}` : words
  })
}

function alternatives(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

function choices(values: readonly unknown[]): string {
  const first = values.slice(0, maxChoices).map(shown)
  if (values.length === 1) return first.join('')
  return `one of ${first.join(', ')}${values.length > maxChoices ? `, … (${values.length} values)` : ''}`
}

function nearestChoice(value: unknown, allowed: readonly unknown[]): string {
  return typeof value === 'string'
    ? didYouMean(
        value,
        allowed.filter((choice) => typeof choice === 'string'),
      )
    : ''
}

function count(number: number, what: 'item' | 'property'): string {
  if (number === 1) return `one ${what}`
  return `${number} ${what === 'item' ? 'items' : 'properties'}`
}

function sizeOf(value: unknown): number {
  return Array.isArray(value) ? value.length : Object.keys(value ?? {}).length
}
