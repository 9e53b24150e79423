import { MessageError } from '../core/errors.ts'
import { Encoder, tooLarge } from './codec/encoder.ts'
import { plainText } from './codec/plain.ts'
import { revive } from './codec/revive.ts'

/**
 * How arguments, results and contexts travel: JSON that stays as it is where it is plain, and a tag object `{"$": kind, "v": data}`
 * where a value is more than JSON (Date, BigInt, Map, Set, bytes, URL, undefined, NaN, Error, models). Own keys that begin with `$` get a
 * second one. Text that an older or newer worker, or a person, can read.
 *
 * What it can't carry is refused at the call with its path: functions, symbols, cycles, more than 500 levels, instances of unknown classes
 * and of subclasses of the known ones. Shared references become copies, holes in arrays become undefined, objects without prototype become
 * ordinary ones, named properties of arrays stay behind, and any Error becomes an Error with the name, message, code, stack and cause it had.
 */
export interface ModelCodec {
  /** The model an object is an instance of. */
  nameOf(value: object): { readonly api: string; readonly name: string } | undefined
  /** Throws, saying why, for an instance that isn't what its model says any more. Default: nothing is checked. */
  check?(value: object): void
  /** An instance again, not checked again. Throws for a model it does not know. */
  revive(api: string, name: string, own: Readonly<Record<string, unknown>>): object
}

export interface EncodeOptions {
  readonly models: ModelCodec
  /** What the value is, for messages: `argument of sendEmail`, `result`. */
  readonly what: string
  /** Models are held against their schemas. Default false. */
  readonly checksModels?: boolean
  /** In bytes of UTF-8. */
  readonly maxBytes: number
}

/**
 * The text of a value.
 * @throws TaskError `ARGUMENT_NOT_PORTABLE` naming the path of what can't travel, `ARGUMENT_INVALID` that of a model which isn't what its spec says, `ARGUMENT_TOO_LARGE` above `maxBytes`.
 */
export function encode(value: unknown, options: EncodeOptions): string {
  const text = plainText(value, options.maxBytes) ?? new Encoder(options).text(value)
  // A UTF-16 unit is at most 3 bytes of UTF-8: most texts need no counting.
  if (text.length * 3 <= options.maxBytes) return text
  const bytes = Buffer.byteLength(text)
  if (bytes > options.maxBytes) throw tooLarge(options, bytes)
  return text
}

/**
 * The value of a text made by `encode`.
 * @throws MessageError `UNDECODABLE` for text that isn't, or has a tag or model this version does not know.
 */
export function decode(text: string, models: ModelCodec): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return mayHaveTags(text) ? revive(value, models) : value
  } catch (error) {
    if (error instanceof MessageError) throw error
    // Neither message nor cause of a parser's error: they quote the value, which has no place in a log.
    throw new MessageError('undecodable', 'The stored value is no text that the codec writes')
  }
}

/** Without a tag or a doubled `$` a value is what JSON says. */
function mayHaveTags(text: string): boolean {
  // A single letter is found 20 times as fast as one that follows a quote, of which JSON is full.
  return text.includes('$') && text.includes('"$')
}
