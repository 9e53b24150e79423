import { types } from 'node:util'
import { codeOf } from '../../core/errors.ts'

/** How the codec writes what JSON does not know. Dates are ISO 8601; bytes are base64, little-endian like every machine Node runs on today. */

type Part = (value: unknown, step: string) => unknown
type Tag = { readonly $: string; readonly v: unknown; readonly [key: string]: unknown }

/** All kinds of typed arrays by the name their tag has. */
export const typedArrays = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float16Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
}

/** The tag of a value that is no plain object, or undefined for an unknown class. */
export function tagOf(value: object, part: Part): Tag | undefined {
  if (Error.isError(value)) return errorTag(value, part)
  // Of a subclass too: fake clocks make their own.
  if (types.isDate(value)) return { $: 'date', v: Number.isNaN(value.getTime()) ? null : value.toISOString() }
  if (isOfAnotherClass(value)) return undefined
  if (value instanceof Map) return { $: 'map', v: mapPairs(value, part) }
  if (value instanceof Set) return { $: 'set', v: [...value].map((item, index) => part(item, `{${index}}`)) }
  if (Buffer.isBuffer(value)) return { $: 'buffer', v: value.toString('base64') }
  if (types.isTypedArray(value)) return { $: 'bytes', type: value[Symbol.toStringTag], v: base64(value) }
  if (value instanceof ArrayBuffer)
    return { $: 'bytes', type: 'ArrayBuffer', v: Buffer.from(value).toString('base64') }
  if (value instanceof URL) return { $: 'url', v: value.href }
  return undefined
}

/** Whether a value is of none of the classes below, or of a subclass, whose further properties and methods would be lost. */
function isOfAnotherClass(value: object): boolean {
  return !prototypes.has(Object.getPrototypeOf(value))
}

const classes = [Map, Set, Buffer, ArrayBuffer, URL, ...Object.values(typedArrays)]
const prototypes = new Set<unknown>(classes.map((type) => type.prototype))

function mapPairs(map: ReadonlyMap<unknown, unknown>, part: Part): unknown[] {
  return [...map].map(([key, value], index) => [part(key, `{key ${index}}`), part(value, `{${index}}`)])
}

function base64(view: NodeJS.TypedArray): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64')
}

function errorTag(error: Error, part: Part): Tag {
  const code = codeOf(error)
  return {
    $: 'error',
    // Readers rely on texts, whatever someone has assigned.
    v: String(error.message),
    name: String(error.name),
    ...(typeof error.stack === 'string' ? { stack: error.stack } : {}),
    ...(code === undefined ? {} : { code }),
    ...(Object.hasOwn(error, 'cause') ? { cause: part(error.cause, '.cause') } : {}),
  }
}
