import { MessageError } from '../../core/errors.ts'
import { show } from '../../core/show.ts'
import { typedArrays } from './tags.ts'

/** Reads the codec's tags back, and takes nothing that it does not write: the text may come from a newer version, or from a forger. */

type Tag = Readonly<Record<string, unknown>>
type Part = (value: unknown) => unknown

/** The value of a tag object read from JSON. @throws MessageError `UNDECODABLE` for an unknown tag, or data that is not of its kind. */
export function untag(tag: Tag, part: Part): unknown {
  switch (tag.$) {
    case 'undefined':
      return undefined
    case 'number':
      return numberOf(tag)
    case 'bigint':
      return /^-?\d+$/.test(text(tag)) ? BigInt(text(tag)) : unfit(tag)
    case 'date':
      return dateOf(tag)
    case 'map':
      return new Map(list(tag).map((pair) => (isPair(pair) ? [part(pair[0]), part(pair[1])] : unfit(tag))))
    case 'set':
      return new Set(list(tag).map(part))
    case 'buffer':
      return Buffer.from(text(tag), 'base64')
    case 'bytes':
      return bytesOf(tag)
    case 'url':
      return URL.parse(text(tag)) ?? unfit(tag)
    case 'error':
      return errorOf(tag, part)
    default:
      throw new MessageError(
        'undecodable',
        `The stored value has a tag this version does not know: ${show(tag.$)}`,
      )
  }
}

/** Does not show the data, which has no place in a log. */
function unfit(tag: Tag): never {
  throw new MessageError('undecodable', `A tag ${show(tag.$)} of the stored value holds something else`)
}

function text(tag: Tag): string {
  return typeof tag.v === 'string' ? tag.v : unfit(tag)
}

function list(tag: Tag): readonly unknown[] {
  return Array.isArray(tag.v) ? tag.v : unfit(tag)
}

function isPair(pair: unknown): pair is [unknown, unknown] {
  return Array.isArray(pair) && pair.length === 2
}

function numberOf(tag: Tag): number {
  const found = unwritten.find((number) => text(tag) === (Object.is(number, -0) ? '-0' : String(number)))
  return found ?? unfit(tag)
}

/** The numbers that JSON has no form for. */
const unwritten = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0]

function dateOf(tag: Tag): Date {
  if (tag.v === null) return new Date(Number.NaN)
  const date = new Date(text(tag))
  return Number.isNaN(date.getTime()) ? unfit(tag) : date
}

function bytesOf(tag: Tag): ArrayBuffer | NodeJS.TypedArray {
  // A copy, so that the memory is exactly as long as the data and aligned for every element size.
  const { buffer } = new Uint8Array(Buffer.from(text(tag), 'base64'))
  if (tag.type === 'ArrayBuffer') return buffer
  const type = Object.entries(typedArrays).find(([name]) => name === tag.type)?.[1]
  // Throws where the bytes are no whole number of elements.
  return type === undefined ? unfit(tag) : new type(buffer)
}

function errorOf(tag: Tag, part: Part): Error {
  const { v, name, stack, code, cause } = tag
  if (typeof v !== 'string' || typeof name !== 'string') return unfit(tag)
  // Someone else's error brought back, not one of Macaron's.
  const error = Error(v, 'cause' in tag ? { cause: part(cause) } : {})
  setHidden(error, 'name', name)
  setHidden(error, 'stack', typeof stack === 'string' ? stack : `${name}: ${v}`)
  if (typeof code === 'string') Object.assign(error, { code })
  return error
}

/** Not enumerable, like the properties every Error has. */
function setHidden(error: Error, key: 'name' | 'stack', value: string): void {
  Object.defineProperty(error, key, { value, enumerable: false, configurable: true, writable: true })
}
