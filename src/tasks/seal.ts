import { randomBytes, timingSafeEqual } from 'node:crypto'
import { MessageError } from '../core/errors.ts'
import { show } from '../core/show.ts'
import type { Piece } from './counter-mode.ts'
import type { Hmac } from './hmac.ts'
import { KeyStream } from './key-stream.ts'
import { KeyStreamReader, type ReadablePiece, readAll } from './key-stream-reader.ts'
import type { StagedMessage, TaskMessage } from './message.ts'
import { deriveKeys, type SealKey, sealKey } from './seal-keys.ts'

/**
 * Keeps what is stored unreadable and unforgeable: AES-256-CTR encrypts the context, and then HMAC-SHA-256 (RFC 2104), cut to 132 bits, authenticates it
 * with all else that was fired; each under a subkey of this process.
 *
 * A sealed context reads `v2.<key id>.<salt>.<place, base 36>.<ciphertext>.<tag>`, salt and the last two in base64url.
 */
export class Seal {
  readonly #keys: ReadonlyMap<string, SealKey>
  readonly #signs: Hmac
  readonly #stream: KeyStream
  readonly #head: string
  /** What other processes sealed with, by key id and salt; a handful of processes write at a time. */
  readonly #others = new Map<string, Other>()

  /** `keys`: at least one text of 32 bytes or more; the first seals, all open. @throws MacaronError `SEAL_KEY_TOO_SHORT`. */
  constructor(keys: readonly [string, ...string[]]) {
    const first = sealKey(keys[0])
    const salt = randomBytes(16)
    this.#keys = new Map(keys.map(sealKey).map((key) => [key.id, key]))
    const { encrypts, signs } = deriveKeys(first.secret, salt)
    this.#signs = signs
    this.#stream = new KeyStream(encrypts)
    this.#head = `v2.${first.id}.${salt.toString('base64url')}.`
  }

  /** The ids of the keys that it opens with. */
  get keyIds(): readonly string[] {
    return [...this.#keys.keys()]
  }

  /** Seals what was staged into what is stored. */
  sealAll(batch: readonly StagedMessage[]): readonly TaskMessage[] {
    if (batch.length === 0) return []
    const pieces = this.#stream.encryptAll(batch.map(({ contextText }) => contextText))
    return batch.map((message, index) => {
      const { place, data } = pieceAt(pieces, index)
      const context = `${this.#head}${place.toString(36)}.${data}`
      return withContext(message, `${context}.${tagOf(this.#signs, context, message)}`)
    })
  }

  /** The texts of messages' contexts, in their order; where one can't be had, why. Costs less than one by one what was sealed together. */
  openAll(messages: readonly Sealed[]): readonly (string | MessageError)[] {
    const verified = messages.map((message) => this.#verify(message))
    const texts = readAll(verified.filter(isPiece))
    let next = 0
    return verified.map((one) => (isPiece(one) ? (texts[next++] ?? forged()) : one))
  }

  /** The text of a message's context. @throws MessageError `UNKNOWN_KEY`, or `REFUSED` where anything of the message was altered or forged. */
  open(message: Sealed): string {
    const [opened = forged()] = this.openAll([message])
    if (opened instanceof MessageError) throw opened
    return opened
  }

  #verify(message: Sealed): ReadablePiece | MessageError {
    if (!isSignable(message)) return forged()
    const end = message.context.lastIndexOf('.')
    const context = message.context.slice(0, end)
    const [version, keyId = '', salt = '', place = '', data = ''] = context.split('.', 5)
    if (version !== 'v2') return new MessageError('refused', 'The sealed context has an unknown version')
    const key = this.#keys.get(keyId)
    if (key === undefined) return unknownKey(keyId)
    const { signs, reader } = this.#otherOf(key, salt)
    // Of the letters themselves: what a lenient decoder reads as the same bytes was altered all the same.
    if (!isSame(message.context.slice(end + 1), tagOf(signs, context, message))) return forged()
    return { reader, place: Number.parseInt(place, 36), data }
  }

  #otherOf(key: SealKey, salt: string): Other {
    const name = `${key.id}.${salt}`
    const known = this.#others.get(name)
    if (known !== undefined) return known
    const { signs, encrypts } = deriveKeys(key.secret, Buffer.from(salt, 'base64url'))
    const other = { signs, reader: new KeyStreamReader(encrypts) }
    if (this.#others.size >= 256) this.#others.clear()
    this.#others.set(name, other)
    return other
  }
}

/** What reads and verifies what one process has sealed. */
interface Other {
  readonly signs: Hmac
  readonly reader: KeyStreamReader
}

/** The parts of a message that are authenticated beside its context. */
export type Signed = Pick<TaskMessage, 'id' | 'name' | 'firedAt' | 'args' | 'options'>

type Sealed = Signed & Pick<TaskMessage, 'context'>

/** Member by member: a copy of the rest of an object takes five times as long. */
function withContext(message: StagedMessage, context: string): TaskMessage {
  const { id, name, queue, priority, runAt, firedAt, atMostOnce, args, options } = message
  return { id, name, queue, priority, runAt, firedAt, atMostOnce, args, options, context }
}

function pieceAt(pieces: readonly Piece[], index: number): Piece {
  // One for each text.
  return pieces[index] as Piece
}

function isPiece(one: ReadablePiece | MessageError): one is ReadablePiece {
  return !(one instanceof MessageError)
}

/** Lengths first: no two different messages give the same text. 22 letters of base64url are 132 bits. */
function tagOf(hmac: Hmac, context: string, { id, name, firedAt, args, options }: Signed): string {
  const lengths = `2 ${firedAt} ${context.length} ${id.length} ${name.length} ${options.length} ${args.length}\n`
  return hmac.of(lengths + context + id + name + options + args).slice(0, 22)
}

function isSame(tag: string, expected: string): boolean {
  const [one, other] = [Buffer.from(tag), Buffer.from(expected)]
  return one.length === other.length && timingSafeEqual(one, other)
}

/** A store may hold anything in any column. */
function isSignable({
  id,
  name,
  firedAt,
  args,
  options,
  context,
}: { [Part in keyof TaskMessage]?: unknown }): boolean {
  return (
    Number.isSafeInteger(firedAt) &&
    [id, name, args, options, context].every((part) => typeof part === 'string')
  )
}

function unknownKey(id: string): MessageError {
  return new MessageError(
    'unknown_key',
    `The message was sealed with key ${show(id)}, which is not among seal_keys. The task goes on by itself where a worker has that key`,
  )
}

function forged(): MessageError {
  return new MessageError('refused', 'The message was altered or forged: its seal does not fit')
}
