import { types } from 'node:util'
import { codeOf, MessageError } from '../core/errors.ts'

/** The tags of the codec: what JSON does not know and how it is written. Bytes are base64, dates ISO 8601. */

type Part = (value: unknown, step: string) => unknown
type Tag = { readonly $: string; readonly v: unknown; readonly [key: string]: unknown }

const typedArrays = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
}

/** The tag of a value that is no plain object, or undefined for an unknown class. */
export function tagOf(value: object, part: Part): Tag | undefined {
  if (value instanceof Date)
    return { $: 'date', v: Number.isNaN(value.getTime()) ? null : value.toISOString() }
  if (value instanceof Map) return { $: 'map', v: mapPairs(value, part) }
  if (value instanceof Set) return { $: 'set', v: [...value].map((item, index) => part(item, `{${index}}`)) }
  if (Buffer.isBuffer(value)) return { $: 'buffer', v: value.toString('base64') }
  if (types.isTypedArray(value)) return { $: 'bytes', type: value[Symbol.toStringTag], v: base64(value) }
  if (value instanceof ArrayBuffer)
    return { $: 'bytes', type: 'ArrayBuffer', v: Buffer.from(value).toString('base64') }
  if (value instanceof URL) return { $: 'url', v: value.href }
  if (value instanceof Error) return errorTag(value, part)
  return undefined
}

function mapPairs(map: ReadonlyMap<unknown, unknown>, part: Part): unknown[] {
  return [...map].map(([key, value], index) => [part(key, `{key ${index}}`), part(value, `{${index}}`)])
}

function base64(view: NodeJS.TypedArray): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64')
}

function errorTag(error: Error, part: Part): Tag {
  const cause = error.cause === undefined ? {} : { cause: part(error.cause, '.cause') }
  const code = codeOf(error)
  return {
    $: 'error',
    v: error.message,
    name: error.name,
    stack: error.stack,
    ...(code === undefined ? {} : { code }),
    ...cause,
  }
}

/** The value of a tag object read from JSON. @throws MessageError `UNDECODABLE` for an unknown tag. */
export function readTag(tag: Readonly<Record<string, unknown>>, part: (value: unknown) => unknown): unknown {
  const { v } = tag
  switch (tag.$) {
    case 'undefined':
      return undefined
    case 'number':
      return Number(v)
    case 'bigint':
      return BigInt(text(v))
    case 'date':
      return new Date(v === null ? Number.NaN : text(v))
    case 'map':
      return new Map(list(v).map((pair) => pairOf(pair, part)))
    case 'set':
      return new Set(list(v).map(part))
    case 'buffer':
      return Buffer.from(text(v), 'base64')
    case 'bytes':
      return bytesOf(tag.type, text(v))
    case 'url':
      return new URL(text(v))
    case 'error':
      return errorOf(tag, part)
    default:
      throw new MessageError(
        'undecodable',
        `The stored value has a tag this version does not know: ${JSON.stringify(tag.$)}`,
      )
  }
}

function text(value: unknown): string {
  if (typeof value === 'string') return value
  throw new MessageError('undecodable', 'A tag of the stored value holds no text where it must')
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new MessageError('undecodable', 'A tag of the stored value holds no list where it must')
}

function pairOf(pair: unknown, part: (value: unknown) => unknown): [unknown, unknown] {
  const [key, value] = list(pair)
  return [part(key), part(value)]
}

function bytesOf(type: unknown, encoded: string): unknown {
  // A copy, so that the buffer is exactly as long as the data and aligned for every element size.
  const { buffer } = Uint8Array.from(Buffer.from(encoded, 'base64'))
  if (type === 'ArrayBuffer') return buffer
  const typedArray = Object.entries(typedArrays).find(([name]) => name === type)?.[1]
  if (typedArray !== undefined) return new typedArray(buffer)
  throw new MessageError(
    'undecodable',
    `The stored value holds bytes of an unknown kind: ${JSON.stringify(type)}`,
  )
}

function errorOf(tag: Readonly<Record<string, unknown>>, part: (value: unknown) => unknown): Error {
  const error = new RevivedError(text(tag.v), 'cause' in tag ? { cause: part(tag.cause) } : {})
  const name = String(tag.name)
  Object.defineProperty(error, 'name', { value: name, enumerable: false, configurable: true, writable: true })
  Object.defineProperty(error, 'stack', {
    value: tag.stack,
    enumerable: false,
    configurable: true,
    writable: true,
  })
  if (typeof tag.code === 'string') Object.assign(error, { code: tag.code })
  return error
}

/** An Error that has travelled; its name, code and stack are those of the original. */
class RevivedError extends Error {}
