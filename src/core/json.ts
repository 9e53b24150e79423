import { isUtf8 } from 'node:buffer'
import { RequestError } from './errors.ts'
import { faultOf } from './json-fault.ts'

/** JSON of strangers: UTF-8 only, not nested without end, and no keys that turn into prototypes when somebody copies them. */
export interface ParsedJson {
  readonly text: string
  readonly value: unknown
}

/** @throws RequestError 400 `BODY_NOT_JSON`, `BODY_TOO_DEEP` or `BODY_FORBIDDEN_KEY`. */
export function parseJson(bytes: Buffer): ParsedJson {
  if (!isUtf8(bytes)) {
    throw new RequestError('BODY_NOT_JSON', 'The body is not JSON: it is not UTF-8', { status: 400 })
  }
  const text = bytes.toString('utf8')
  const read = jsonOf(text)
  if (read instanceof JsonRefusal)
    throw new RequestError(read.code, `The body ${read.problem}`, { status: 400, cause: read.cause })
  return { text, value: read }
}

/** Why a text is not taken as JSON. */
export class JsonRefusal {
  readonly code: 'BODY_NOT_JSON' | 'BODY_TOO_DEEP' | 'BODY_FORBIDDEN_KEY'
  /** After the name of what it is about: `is not JSON: …` */
  readonly problem: string
  readonly cause: unknown

  constructor(code: JsonRefusal['code'], problem: string, cause?: unknown) {
    this.code = code
    this.problem = problem
    this.cause = cause
  }
}

/** The value of a JSON text of strangers, or why it is refused. */
export function jsonOf(text: string): unknown {
  if (text.length > 2 * deepest && depthOf(text) > deepest) {
    return new JsonRefusal('BODY_TOO_DEEP', `is nested more than ${deepest} levels deep`)
  }
  const value = parsed(text)
  if (value instanceof JsonRefusal || !isSuspicious(text)) return value
  const key = forbiddenKeyIn(value)
  if (key === undefined) return value
  return new JsonRefusal('BODY_FORBIDDEN_KEY', `has a property that is not accepted: ${key}`)
}

/** Deep enough for any honest document, and no recursive check or serialiser overflows its stack with it. */
const deepest = 500

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    return new JsonRefusal('BODY_NOT_JSON', `is not JSON: ${placeOf(text)}`, cause)
  }
}

function placeOf(text: string): string {
  const fault = text.length > longestSearched ? undefined : faultOf(text)
  if (fault === undefined) return 'it does not parse'
  const before = text.slice(0, fault.offset).split('\n')
  const column = (before.at(-1)?.length ?? 0) + 1
  return `${fault.message} at position ${fault.offset} (line ${before.length}, column ${column})`
}

/** In characters; looking for the fault of a longer body would cost more than it tells. */
const longestSearched = 1_048_576

/** The deepest nesting of objects and arrays, brackets inside strings not counted. */
function depthOf(text: string): number {
  let depth = 0
  let most = 0
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at)
    if (char === quote) at = endOfString(text, at)
    else if (char === openBrace || char === openBracket) most = Math.max(most, ++depth)
    else if (char === closeBrace || char === closeBracket) depth -= 1
  }
  return most
}

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text.charCodeAt(at)
    if (char === quote) return at
    if (char === backslash) at += 1
  }
  return text.length
}

/** A quick look that spares honest bodies the walk. The escapes are those that could spell a forbidden key's letters. */
function isSuspicious(text: string): boolean {
  if (text.includes('__proto__') || text.includes('"constructor"')) return true
  return text.includes('\\u00') && /\\u00[567]/.test(text)
}

function forbiddenKeyIn(value: unknown): string | undefined {
  const waiting = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next !== 'object' || next === null) continue
    const key = forbiddenKey(next)
    if (key !== undefined) return key
    for (const inner of Object.values(next)) waiting.push(inner)
  }
  return undefined
}

function forbiddenKey(value: object): string | undefined {
  if (Object.hasOwn(value, '__proto__')) return '__proto__'
  if (!Object.hasOwn(value, 'constructor')) return undefined
  const inner: unknown = value.constructor
  const reaches = typeof inner === 'object' && inner !== null && Object.hasOwn(inner, 'prototype')
  return reaches ? 'constructor.prototype' : undefined
}
