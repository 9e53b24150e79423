import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import { MessageError } from '../core/errors.ts'
import { show } from '../core/show.ts'
import type { TaskMessage } from './message.ts'
import { deriveKey, type SealKey, sealKey } from './seal-keys.ts'

/**
 * Keeps what is stored unreadable and unforgeable. The context is sealed with AES-256-GCM under a subkey of this process and a counted
 * nonce; every message is authenticated with HMAC-SHA-256 (RFC 2104) over its length-prefixed fields.
 *
 * A sealed context reads `v1.<key id>.<salt>.<nonce>.<ciphertext and tag>`, the last three in base64url.
 */
export class Seal {
  readonly #keys: ReadonlyMap<string, SealKey>
  readonly #first: SealKey
  readonly #salt = randomBytes(16)
  readonly #subkey: KeyObject
  readonly #head: string
  #nonce = 0
  /** Subkeys of other processes by key id and salt; a handful of processes write at a time. */
  readonly #subkeys = new Map<string, KeyObject>()

  /** `keys`: at least one text of 32 bytes or more; the first seals, all open. @throws MacaronError `SEAL_KEY_TOO_SHORT`. */
  constructor(keys: readonly [string, ...string[]]) {
    this.#first = sealKey(keys[0])
    this.#keys = new Map(keys.map(sealKey).map((key) => [key.id, key]))
    this.#subkey = deriveKey(this.#first.secret, this.#salt, 'macaron context v1')
    this.#head = `v1.${this.#first.id}.${this.#salt.toString('base64url')}.`
  }

  /** Seals the text of a context. */
  sealContext(text: string): string {
    const nonce = Buffer.alloc(12)
    nonce.writeUIntBE(++this.#nonce, 6, 6)
    const cipher = createCipheriv('aes-256-gcm', this.#subkey, nonce)
    const start = cipher.update(text, 'utf8')
    const end = cipher.final()
    const sealed = Buffer.concat([start, end, cipher.getAuthTag()])
    return `${this.#head}${nonce.toString('base64url')}.${sealed.toString('base64url')}`
  }

  /** Whether a context was sealed with the key that seals now. */
  sealsLike(sealed: string): boolean {
    return sealed.startsWith(`v1.${this.#first.id}.`)
  }

  /** The text of a sealed context. @throws MessageError `UNKNOWN_KEY`, or `REFUSED` where it was altered. */
  openContext(sealed: string): string {
    const [version, keyId = '', salt = '', nonce = '', data = ''] = sealed.split('.')
    if (version !== 'v1') throw new MessageError('refused', 'The sealed context has an unknown version')
    const key = this.#keyOf(keyId)
    const bytes = Buffer.from(data, 'base64url')
    try {
      const decipher = createDecipheriv(
        'aes-256-gcm',
        this.#subkeyOf(key, salt),
        Buffer.from(nonce, 'base64url'),
        { authTagLength: 16 },
      )
      decipher.setAuthTag(bytes.subarray(-16))
      return decipher.update(bytes.subarray(0, -16), undefined, 'utf8') + decipher.final('utf8')
    } catch {
      // OpenSSL's own words say less.
      throw new MessageError('refused', 'The sealed context was altered after it was fired')
    }
  }

  /** The authentication code of a message: what it must carry as `mac`. */
  sign(message: Signed): string {
    return mac(this.#first.mac, message)
  }

  /** @throws MessageError `UNKNOWN_KEY`, or `REFUSED` where anything signed was altered or forged. */
  verify(message: Signed & Pick<TaskMessage, 'mac'>): void {
    if (!isSignable(message)) throw forged()
    const key = this.#keyOf(message.context.split('.', 2)[1] ?? '')
    const expected = Buffer.from(mac(key.mac, message))
    const found = Buffer.from(message.mac)
    if (expected.length !== found.length || !timingSafeEqual(expected, found)) throw forged()
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
    const made = deriveKey(key.secret, Buffer.from(salt, 'base64url'), 'macaron context v1')
    if (this.#subkeys.size >= 256) this.#subkeys.clear()
    this.#subkeys.set(name, made)
    return made
  }
}

/** The parts of a message that are authenticated. */
export type Signed = Pick<TaskMessage, 'id' | 'name' | 'firedAt' | 'args' | 'options' | 'context'>

/** A store may hold anything in any column. */
function isSignable({
  id,
  name,
  firedAt,
  args,
  options,
  context,
  mac,
}: { [Part in keyof TaskMessage]?: unknown }) {
  return (
    Number.isSafeInteger(firedAt) &&
    [id, name, args, options, context, mac].every((part) => typeof part === 'string')
  )
}

function forged(): MessageError {
  return new MessageError('refused', 'The message was altered or forged: its authentication code is wrong')
}

function mac(key: KeyObject, message: Signed): string {
  const { id, name, firedAt, args, options, context } = message
  // Lengths first: no two different messages give the same text.
  const lengths = `1 ${firedAt} ${id.length} ${name.length} ${options.length} ${context.length} ${args.length}\n`
  return createHmac('sha256', key)
    .update(lengths + id + name + options + context + args)
    .digest('base64url')
}
