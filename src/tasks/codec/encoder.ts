import { asError, TaskError } from '../../core/errors.ts'
import { UploadedFile } from '../../core/uploaded-file.ts'
import type { EncodeOptions } from '../codec.ts'
import { tagOf } from './tags.ts'

/** The long way of the codec: copies a value with tags in place of what JSON does not know, and refuses what can't travel with its path. */
export class Encoder {
  readonly #options: EncodeOptions
  readonly #ancestors: object[] = []
  /** The way to the value at hand. */
  readonly #steps: string[] = []
  #inModel = false
  /** Each value and each letter takes a byte at least. */
  #bytesLeft: number

  constructor(options: EncodeOptions) {
    this.#options = options
    this.#bytesLeft = options.maxBytes
  }

  /** @throws TaskError `ARGUMENT_NOT_PORTABLE`, `ARGUMENT_TOO_LARGE`. */
  text(value: unknown): string {
    try {
      return JSON.stringify(this.#portable(value))
    } catch (error) {
      if (error instanceof TaskError) {
        // Its ten frames would be ours, one for each level of the value: who has fired is what helps.
        Error.captureStackTrace(error, Encoder.prototype.text)
        throw error
      }
      throw this.#refusal(`a value that throws when it is read (${asError(error).message})`, error)
    }
  }

  #portable(value: unknown): unknown {
    this.#spend(1)
    switch (typeof value) {
      case 'string':
        this.#spend(value.length)
        return value
      case 'boolean':
        return value
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0) ? value : { $: 'number', v: numberText(value) }
      case 'undefined':
        return { $: 'undefined' }
      case 'bigint':
        return { $: 'bigint', v: String(value) }
      case 'object':
        return value === null ? null : this.#object(value)
      default:
        throw this.#refusal(`a ${typeof value}`)
    }
  }

  /** A part of the value at hand; `step` is the way to it. */
  readonly #part = (value: unknown, step: string): unknown => {
    this.#steps.push(step)
    const portable = this.#portable(value)
    this.#steps.pop()
    return portable
  }

  #object(value: object): unknown {
    if (this.#ancestors.includes(value))
      throw this.#refusal('a reference back to an object that holds it (a cycle)')
    if (this.#ancestors.length >= mostLevels)
      throw this.#refusal(`a value nested more than ${mostLevels} levels deep`)
    this.#ancestors.push(value)
    const portable = this.#contents(value)
    this.#ancestors.pop()
    return portable
  }

  #contents(value: object): unknown {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) return this.#properties(value)
    if (prototype === Array.prototype && Array.isArray(value)) return this.#items(value)
    const model = this.#options.models.nameOf(value)
    if (model !== undefined) return this.#model(value, model)
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) this.#spend(value.byteLength)
    const tag = tagOf(value, this.#part)
    if (tag !== undefined) return tag
    if (value instanceof UploadedFile) throw this.#refusal(uploadedFile)
    throw this.#refusal(`an instance of ${className(value)}`)
  }

  /** Of models within models the outermost is checked, with all that its schema says of the others. */
  #model(value: object, { api, name }: { readonly api: string; readonly name: string }): object {
    const isOutermost = !this.#inModel
    if (isOutermost && this.#options.checksModels === true) this.#check(value)
    this.#inModel = true
    const portable = { $: 'model', api, name, v: this.#properties(value) }
    this.#inModel = !isOutermost
    return portable
  }

  #check(value: object): void {
    try {
      this.#options.models.check?.(value)
    } catch (error) {
      const { what } = this.#options
      const place = this.#steps.join('')
      throw new TaskError('ARGUMENT_INVALID', `${what}${place}: ${asError(error).message}`, { cause: error })
    }
  }

  #items(items: readonly unknown[]): readonly unknown[] {
    const copy: unknown[] = []
    // By index, so that holes are visited too: they become undefined.
    for (let index = 0; index < items.length; index++) copy.push(this.#part(items[index], `[${index}]`))
    return copy
  }

  #properties(object: object): object {
    if (Object.getOwnPropertySymbols(object).length > 0) throw this.#refusal('an object with symbol keys')
    const copy: Record<string, unknown> = {}
    for (const key of Object.keys(object)) {
      this.#spend(key.length)
      // Read here, where the path is known, since a getter may throw.
      this.#steps.push(`.${key}`)
      // Any object can be asked for its own keys.
      const value = this.#portable((object as Record<string, unknown>)[key])
      this.#steps.pop()
      setOwn(copy, key.startsWith('$') ? `$${key}` : key, value)
    }
    return copy
  }

  #spend(bytes: number): void {
    this.#bytesLeft -= bytes
    if (this.#bytesLeft < 0) throw tooLarge(this.#options)
  }

  #refusal(found: string, cause?: unknown): TaskError {
    const path = this.#steps.join('')
    const place = path === '' ? '' : ` at ${path.length > 200 ? `${path.slice(0, 200)}…` : path}`
    return new TaskError(
      'ARGUMENT_NOT_PORTABLE',
      `The ${this.#options.what} can't travel to a worker: ${found}${place}. Pass plain data, Date, BigInt, Map, Set, Buffer, typed arrays, URL, Error or a model.`,
      cause === undefined ? {} : { cause },
    )
  }
}

const uploadedFile =
  'an uploaded file, which is gone when its request has been answered (store it and pass its address, or pass await file.buffer())'

/** Of nested objects and lists. Far less than what the stack of encoder and decoder can hold. */
const mostLevels = 500

/** `bytes`, where they have been counted to the end. */
export function tooLarge({ what, maxBytes }: EncodeOptions, bytes?: number): TaskError {
  const counted = bytes === undefined ? '' : `, namely ${bytes}`
  return new TaskError(
    'ARGUMENT_TOO_LARGE',
    `The ${what} takes more than the ${maxBytes} bytes allowed (max_task_bytes)${counted}. Store the data elsewhere and pass its address.`,
  )
}

/** Sets an own property whatever its name: `__proto__` must not reach the prototype. */
export function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
  else object[key] = value
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function className(value: object): string {
  const name: unknown = value.constructor?.name
  return typeof name === 'string' && name !== '' ? name : 'an unnamed class'
}
