import { asError } from './errors.ts'
import { hidden, type IsSecret, isSecretName } from './secrets.ts'
import { shortened } from './shortened.ts'

/** How values are told. */
export interface Told {
  readonly isSecret: IsSecret
  /** What is left of a text. */
  text(text: string): string
}

/** The logger looks for tokens in whole lines. */
const asItIs: Told = { isSecret: isSecretName, text: (text) => text }

/**
 * A copy of a log line's fields, as JSON would show them, without secrets and no longer than anyone reads, however much an error carries: 2,000 values, 200 of
 * one list or object, 64 Ki characters of text, 16 Ki of one text. Never throws.
 */
export function withoutSecrets(fields: object, told: Told = asItIs): Record<string, unknown> {
  try {
    return new Copy(told).of(fields)
  } catch (error) {
    return { unreadable: `These fields could not be read: ${asError(error).message}` }
  }
}

const mostValues = 2_000
const mostInOne = 200
const mostText = 65_536
const longestText = 16_384
/** So much of a text is always shown. */
const shortText = 128
const longestName = 256
/** Deeper than anyone reads; cycles end here too. */
const deepest = 6

class Copy {
  readonly #told: Told
  #values = mostValues
  #text = mostText

  constructor(told: Told) {
    this.#told = told
  }

  of(fields: object): Record<string, unknown> {
    return this.#fields(entriesOf(fields), 0)
  }

  #fields({ size, entries }: Entries, depth: number): Record<string, unknown> {
    const shown: [string, unknown][] = []
    for (const [name, value] of entries) {
      if (this.#isFull(shown.length, depth)) return Object.fromEntries([...shown, more(size - shown.length)])
      shown.push([shortened(name, longestName), this.#named(name, value, depth + 1)])
    }
    return Object.fromEntries(shown)
  }

  #list(items: Iterable<unknown>, size: number, depth: number): readonly unknown[] {
    const shown: unknown[] = []
    for (const item of items) {
      if (this.#isFull(shown.length, depth)) return [...shown, more(size - shown.length).join(' ')]
      shown.push(this.#value(item, depth + 1))
    }
    return shown
  }

  /** Counts a value, if there is room for it. What stands in the line itself always has: it tells whose line it is. */
  #isFull(count: number, depth: number): boolean {
    if (count >= mostInOne || (this.#values <= 0 && depth > 0)) return true
    this.#values--
    return false
  }

  #named(name: string, value: unknown, depth: number): unknown {
    if (value === null || typeof value === 'boolean' || value === undefined) return value
    // Nobody searches a name that long for words.
    return name.length > longestName || this.#told.isSecret(name) ? hidden : this.#value(value, depth)
  }

  #value(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.#textOf(value)
    return typeof value === 'object' && value !== null ? this.#object(value, depth) : value
  }

  #textOf(text: string): string {
    const shown = shortened(text, Math.max(shortText, Math.min(longestText, this.#text)))
    this.#text -= shown.length
    return this.#told.text(shown)
  }

  #object(value: object, depth: number): unknown {
    if (depth > deepest) return '[deeper]'
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
    if ('toJSON' in value && typeof value.toJSON === 'function') return this.#value(value.toJSON(), depth + 1)
    if (Array.isArray(value)) return this.#list(value, value.length, depth)
    if (value instanceof Set) return this.#list(value, value.size, depth)
    return Error.isError(value) ? this.#error(value, depth) : this.#fields(entriesOf(value), depth)
  }

  /** First what it says: it may carry more than there is room for. */
  #error(error: Error, depth: number): Record<string, unknown> {
    const { name, message, stack, cause } = error
    const said = { type: name, message, stack, ...(cause === undefined ? {} : { cause }) }
    return { ...this.#fields(entriesOf(said), depth), ...this.#fields(entriesOf(error), depth) }
  }
}

interface Entries {
  readonly size: number
  readonly entries: Iterable<readonly [string, unknown]>
}

function entriesOf(object: object): Entries {
  if (object instanceof Map) return { size: object.size, entries: named(object) }
  const names = Object.keys(object)
  return { size: names.length, entries: valuesOf(object, names) }
}

function* named(map: ReadonlyMap<unknown, unknown>): Generator<readonly [string, unknown]> {
  for (const [key, value] of map) yield [typeof key === 'object' ? '[object]' : String(key), value]
}

/** Nothing is read that isn't shown. */
function* valuesOf(object: object, names: readonly string[]): Generator<readonly [string, unknown]> {
  for (const name of names) yield [name, Reflect.get(object, name)]
}

function more(count: number): readonly ['[more]', number] {
  return ['[more]', count]
}
