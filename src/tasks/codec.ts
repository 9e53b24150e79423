import { MessageError, TaskError } from '../core/errors.ts'
import { readTag, tagOf } from './codec-tags.ts'

/**
 * How arguments, results and context values travel: JSON that stays as it is where it is plain, and a tag object
 * `{"$": kind, "v": data}` where a value is more than JSON (Date, BigInt, Map, Set, bytes, URL, undefined, NaN, Error, models).
 * Own keys that begin with `$` get a second one. Text an older or newer worker, or a person, can read.
 *
 * What it can't carry is refused at the call with its path: functions, symbols, cycles, instances of unknown classes.
 * Shared references become copies, and holes in arrays become undefined.
 */
export interface ModelCodec {
  /** The model an object is an instance of. */
  nameOf(value: object): { readonly api: string; readonly name: string } | undefined
  /** An instance again, not checked again. */
  revive(api: string, name: string, own: Readonly<Record<string, unknown>>): object
}

export interface EncodeOptions {
  readonly models: ModelCodec
  /** What the value is, for messages: `argument`, `result`. */
  readonly what: string
  /** In bytes of UTF-8. */
  readonly maxBytes: number
}

/**
 * The text of a value.
 * @throws TaskError `ARGUMENT_NOT_PORTABLE` naming the path of what can't travel, `ARGUMENT_TOO_LARGE` above `maxBytes`.
 */
export function encode(value: unknown, options: EncodeOptions): string {
  const text = JSON.stringify(isPlain(value, 0) ? value : new Encoder(options).portable(value, ''))
  // A UTF-16 unit is at most 3 bytes of UTF-8: most texts need no counting.
  if (text.length * 3 > options.maxBytes && Buffer.byteLength(text) > options.maxBytes) {
    throw new TaskError(
      'ARGUMENT_TOO_LARGE',
      `The ${options.what} takes ${Buffer.byteLength(text)} bytes, more than the ${options.maxBytes} allowed (max_task_bytes). Store the data elsewhere and pass its address.`,
    )
  }
  return text
}

/**
 * The value of a text made by `encode`.
 * @throws MessageError `UNDECODABLE` for text that isn't, or has a tag or model this version does not know.
 */
export function decode(text: string, models: ModelCodec): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return text.includes('"$') ? revive(value, models) : value
  } catch (error) {
    if (error instanceof MessageError) throw error
    throw new MessageError('undecodable', `The stored value is not readable: ${String(error)}`, {
      cause: error,
    })
  }
}

class Encoder {
  readonly #options: EncodeOptions
  readonly #ancestors: object[] = []

  constructor(options: EncodeOptions) {
    this.#options = options
  }

  /** The value itself where JSON carries it, else a copy with tags in place of what it does not. */
  portable(value: unknown, path: string): unknown {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0) ? value : { $: 'number', v: numberText(value) }
      case 'undefined':
        return { $: 'undefined' }
      case 'bigint':
        return { $: 'bigint', v: String(value) }
      case 'object':
        return value === null ? null : this.#object(value, path)
      default:
        return this.#refuse(`a ${typeof value}`, path)
    }
  }

  #object(value: object, path: string): unknown {
    if (this.#ancestors.includes(value))
      this.#refuse('a reference back to an object that holds it (a cycle)', path)
    this.#ancestors.push(value)
    const result = this.#contents(value, path)
    this.#ancestors.pop()
    return result
  }

  #contents(value: object, path: string): unknown {
    if (Array.isArray(value)) return this.#items(value, path)
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) return this.#properties(value, path)
    const model = this.#options.models.nameOf(value)
    if (model !== undefined)
      return { $: 'model', api: model.api, name: model.name, v: this.#properties(value, path) }
    const tag = tagOf(value, (part, step) => this.portable(part, path + step))
    return tag ?? this.#refuse(`an instance of ${value.constructor?.name || 'an unnamed class'}`, path)
  }

  #items(items: readonly unknown[], path: string): readonly unknown[] {
    // Array.from visits holes too: they become undefined.
    return Array.from(items, (item, index) => this.portable(item, `${path}[${index}]`))
  }

  #properties(object: object, path: string): object {
    if (Object.getOwnPropertySymbols(object).length > 0) this.#refuse('an object with symbol keys', path)
    const copy: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(object)) {
      setOwn(copy, key.startsWith('$') ? `$${key}` : key, this.portable(value, `${path}.${key}`))
    }
    return copy
  }

  #refuse(found: string, path: string): never {
    const place = path === '' ? '' : ` at ${path}`
    throw new TaskError(
      'ARGUMENT_NOT_PORTABLE',
      `The ${this.#options.what} can't travel to a worker: ${found}${place}. Pass plain data, Date, BigInt, Map, Set, Buffer, typed arrays, URL, Error or a model.`,
    )
  }
}

/** Whether JSON carries a value exactly as it is, so that it needs no copy; anything deep is left to the encoder. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value !== 'object') return isPlainScalar(value)
  if (value === null) return true
  if (depth > 20) return false
  if (Array.isArray(value))
    return value.every((item) => isPlain(item, depth + 1)) && !value.includes(undefined)
  if (Object.getPrototypeOf(value) !== Object.prototype || Object.getOwnPropertySymbols(value).length > 0)
    return false
  return Object.entries(value).every(([key, part]) => !key.startsWith('$') && isPlain(part, depth + 1))
}

function isPlainScalar(value: unknown): boolean {
  if (typeof value === 'string' || typeof value === 'boolean') return true
  return typeof value === 'number' && Number.isFinite(value) && !Object.is(value, -0)
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function revive(value: unknown, models: ModelCodec): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => revive(item, models))
  // What JSON.parse made and is neither null nor an array is a plain object.
  const object = value as Record<string, unknown>
  if (!Object.hasOwn(object, '$')) return reviveProperties(object, models)
  if (object.$ !== 'model') return readTag(object, (part) => revive(part, models))
  const { api, name, v } = object
  if (typeof api !== 'string' || typeof name !== 'string' || typeof v !== 'object' || v === null) {
    throw new MessageError('undecodable', 'A stored model lacks its api, name or data')
  }
  // Checked just above: `v` is an object, and JSON objects have string keys.
  return models.revive(api, name, reviveProperties(v as Record<string, unknown>, models))
}

function reviveProperties(object: Record<string, unknown>, models: ModelCodec): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(object)) {
    setOwn(result, key.startsWith('$$') ? key.slice(1) : key, revive(value, models))
  }
  return result
}

/** Sets an own property whatever its name: `__proto__` must not reach the prototype. */
function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
  else object[key] = value
}
