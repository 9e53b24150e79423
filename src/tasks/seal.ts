import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'
import { MessageError } from '../core/errors.ts'
import { show } from '../core/show.ts'
import type { TaskMessage } from './message.ts'
import { deriveKey, type SealKey, sealKey } from './seal-keys.ts'

/**
 * Keeps what is stored unreadable and unforgeable, in one operation for each message: AES-256-GCM (NIST SP 800-38D) under a subkey of this process and a
 * counted nonce encrypts the context and authenticates, as additional data, all else that was fired.
 *
 * A sealed context reads `v1.<key id>.<salt>.<nonce, base 36>.<ciphertext and tag>`, salt and the last in base64url.
 */
export class Seal {
  readonly #keys: ReadonlyMap<string, SealKey>
  readonly #subkey: KeyObject
  readonly #head: string
  #nonce = 0
  /** Subkeys of other processes by key id and salt; a handful of processes write at a time. */
  readonly #subkeys = new Map<string, KeyObject>()

  /** `keys`: at least one text of 32 bytes or more; the first seals, all open. @throws MacaronError `SEAL_KEY_TOO_SHORT`. */
  constructor(keys: readonly [string, ...string[]]) {
    const first = sealKey(keys[0])
    const salt = randomBytes(16)
    this.#keys = new Map(keys.map(sealKey).map((key) => [key.id, key]))
    this.#subkey = subkeyOf(first, salt)
    this.#head = `v1.${first.id}.${salt.toString('base64url')}.`
  }

  /** Seals the text of a context into the message it travels with: gives the message's `context`. */
  seal(text: string, message: Signed): string {
    const nonce = ++this.#nonce
    const head = this.#head + nonce.toString(36)
    const cipher = createCipheriv('aes-256-gcm', this.#subkey, nonceBytes(nonce))
    cipher.setAAD(signedBytes(head, message))
    const sealed = cipher.update(text, 'utf8')
    // Empty with this mode, which has no blocks to fill.
    cipher.final()
    return `${head}.${Buffer.concat([sealed, cipher.getAuthTag()]).toString('base64url')}`
  }

  /** The text of a message's context. @throws MessageError `UNKNOWN_KEY`, or `REFUSED` where anything of the message was altered or forged. */
  open(message: Signed & Pick<TaskMessage, 'context'>): string {
    if (!isSignable(message)) throw forged()
    const [version, keyId = '', salt = '', nonce = '', data = ''] = message.context.split('.', 5)
    if (version !== 'v1') throw new MessageError('refused', 'The sealed context has an unknown version')
    const subkey = this.#subkeyOf(this.#keyOf(keyId), salt)
    const bytes = Buffer.from(data, 'base64url')
    const head = message.context.slice(0, -data.length - 1)
    // Letters that a lenient decoder reads as the same bytes were altered all the same.
    if (bytes.toString('base64url') !== data) throw forged()
    try {
      const tagAt = bytes.length - tagLength
      const decipher = createDecipheriv('aes-256-gcm', subkey, nonceBytes(Number.parseInt(nonce, 36)), strict)
      decipher.setAuthTag(bytes.subarray(tagAt))
      decipher.setAAD(signedBytes(head, message))
      return decipher.update(bytes.subarray(0, tagAt), undefined, 'utf8') + decipher.final('utf8')
    } catch {
      // OpenSSL's own words say less.
      throw forged()
    }
  }

  #keyOf(id: string): SealKey {
    const key = this.#keys.get(id)
    if (key !== undefined) return key
    throw new MessageError(
      'unknown_key',
      `The message was sealed with key ${show(id)}, which is not among seal_keys. Add that key, then retry the task.`,
    )
  }

  #subkeyOf(key: SealKey, salt: string): KeyObject {
    const name = `${key.id}.${salt}`
    const known = this.#subkeys.get(name)
    if (known !== undefined) return known
    const made = subkeyOf(key, Buffer.from(salt, 'base64url'))
    if (this.#subkeys.size >= 256) this.#subkeys.clear()
    this.#subkeys.set(name, made)
    return made
  }
}

/** The parts of a message that are authenticated beside its context. */
export type Signed = Pick<TaskMessage, 'id' | 'name' | 'firedAt' | 'args' | 'options'>

const tagLength = 16
const strict = { authTagLength: tagLength } as const

function subkeyOf(key: SealKey, salt: Buffer): KeyObject {
  return deriveKey(key.secret, salt, 'macaron message v1')
}

function nonceBytes(nonce: number): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.writeUIntBE(nonce, 6, 6)
  return bytes
}

/** What is authenticated but not encrypted. Lengths first: no two different messages give the same bytes. */
function signedBytes(head: string, { id, name, firedAt, args, options }: Signed): Buffer {
  const lengths = `1 ${firedAt} ${head.length} ${id.length} ${name.length} ${options.length} ${args.length}\n`
  return Buffer.from(lengths + head + id + name + options + args)
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

function forged(): MessageError {
  return new MessageError('refused', 'The message was altered or forged: its seal does not fit')
}
