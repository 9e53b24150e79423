import type { ErrorObject, FuncKeywordDefinition, ValidateFunction } from 'ajv'
import type { Checkable } from './checkable.ts'
import { isDateTime } from './date-time.ts'

/** The keywords that checkable.ts writes, as the validator runs them. */

/**
 * What a value is checked as: a readOnly property is required in replies only, a writeOnly one in requests only, and no part of a reply of ours. One that another
 * service sends all the same (`received`) is its own business.
 */
export type CheckMode = 'request' | 'reply' | 'received' | 'model'

/** `this` of a validator: Ajv passes it on to keywords. */
export interface CheckContext {
  readonly mode: CheckMode
}

type KeywordFunction = FuncKeywordDefinition['validate'] & { errors?: Partial<ErrorObject>[] }

export const checkKeywords: readonly FuncKeywordDefinition[] = [
  { keyword: 'dateTime', errors: false, validate: isDateTimeValue },
  oneWayRequired('requiredInReply', ['reply', 'received']),
  oneWayRequired('requiredInRequest', ['request']),
  absentInReply(),
  distinct(),
]

function isDateTimeValue(others: readonly string[], value: unknown): boolean {
  if (typeof value === 'string') return isDateTime(value)
  if (value instanceof Date) return !Number.isNaN(value.getTime())
  return others.length > 0 && jsonTypesOf(value).some((type) => others.includes(type))
}

/** The names JSON Schema has for the type of a value. */
function jsonTypesOf(value: unknown): readonly string[] {
  if (value === null) return ['null']
  if (Array.isArray(value)) return ['array']
  if (typeof value === 'number') return Number.isInteger(value) ? ['number', 'integer'] : ['number']
  return [typeof value]
}

/** Reports each missing name the way the standard's `required` does. */
function oneWayRequired(keyword: string, modes: readonly CheckMode[]): FuncKeywordDefinition {
  function validate(this: CheckContext | undefined, names: readonly string[], value: object): boolean {
    if (this === undefined || !modes.includes(this.mode)) return true
    const missing = names.filter((name) => !has(value, name))
    errors.errors = missing.map((missingProperty) => ({ keyword: 'required', params: { missingProperty } }))
    return missing.length === 0
  }
  const errors: KeywordFunction = validate
  return { keyword, type: 'object', errors: true, validate: errors }
}

/** writeOnly properties: passwords, most often. */
function absentInReply(): FuncKeywordDefinition {
  function validate(this: CheckContext | undefined, names: readonly string[], value: object): boolean {
    if (this?.mode !== 'reply') return true
    const there = names.filter((name) => has(value, name))
    errors.errors = there.map((property) => ({ keyword: 'absentInReply', params: { property } }))
    return there.length === 0
  }
  const errors: KeywordFunction = validate
  return { keyword: 'absentInReply', type: 'object', errors: true, validate: errors }
}

/** As JSON will have it: neither inherited, nor hidden, nor undefined. A copy would cost each reply as much as it is large. */
function has(value: object, name: string): boolean {
  return Object.prototype.propertyIsEnumerable.call(value, name) && Reflect.get(value, name) !== undefined
}

function distinct(): FuncKeywordDefinition {
  function validate(_: unknown, items: readonly unknown[]): boolean {
    const known = new Map<string, number>()
    for (const [index, item] of items.entries()) {
      const text = canonical(item)
      const first = known.get(text)
      if (first !== undefined) {
        errors.errors = [{ keyword: 'uniqueItems', params: { i: index, j: first } }]
        return false
      }
      known.set(text, index)
    }
    return true
  }
  const errors: KeywordFunction = validate
  return { keyword: 'distinct', type: 'array', errors: true, validate: errors }
}

/** `anyOf` or `oneOf` decided by other validators: it fails as a whole, without the faults of its branches. */
export function unionKeyword(
  keyword: 'anyOf' | 'oneOf',
  compile: (branch: Checkable) => ValidateFunction,
): FuncKeywordDefinition {
  function validate(this: CheckContext | undefined, branches: readonly Checkable[], value: unknown): boolean {
    const fitting = branches.flatMap((branch, index) => (compile(branch).call(this, value) ? [index] : []))
    if (keyword === 'anyOf' ? fitting.length > 0 : fitting.length === 1) return true
    errors.errors = [{ keyword, params: { passingSchemas: fitting } }]
    return false
  }
  const errors: KeywordFunction = validate
  return { keyword, errors: true, validate: errors }
}

/** `contains` decided by another validator: it fails as a whole, without a fault for each item that isn't of the kind. */
export function containsKeyword(compile: (schema: Checkable) => ValidateFunction): FuncKeywordDefinition {
  function validate(
    this: CheckContext | undefined,
    kind: Checkable,
    items: readonly unknown[],
    owner: { readonly minContains?: number; readonly maxContains?: number } = {},
  ): boolean {
    const { minContains = 1, maxContains } = owner
    const fitting = items.filter((item) => compile(kind).call(this, item)).length
    errors.errors = [{ keyword: 'contains', params: { minContains, maxContains } }]
    return fitting >= minContains && fitting <= (maxContains ?? fitting)
  }
  const errors: KeywordFunction = validate
  return { keyword: 'contains', type: 'array', errors: true, validate: errors }
}

/**
 * `unevaluatedProperties` or `unevaluatedItems` decided by another validator, where this one can't know what the branches of a union beside it
 * have seen. It tells the first one only.
 */
export function unevaluatedKeyword(
  keyword: 'unevaluatedProperties' | 'unevaluatedItems',
  compile: (schema: Checkable) => ValidateFunction,
): FuncKeywordDefinition {
  function validate(this: CheckContext | undefined, _: unknown, value: unknown, owner?: Checkable): boolean {
    const whole = compile(owner ?? true)
    if (whole.call(this, value)) return true
    const error = whole.errors?.find((found) => found.keyword === keyword && found.instancePath === '')
    errors.errors = error === undefined ? [] : [{ keyword, params: error.params }]
    return error === undefined
  }
  const errors: KeywordFunction = validate
  return { keyword, errors: true, validate: errors }
}

/** JSON with the keys of every object in one order, so that equal values have equal texts. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
