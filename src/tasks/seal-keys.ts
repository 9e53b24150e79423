import { createHash, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { MacaronError } from '../core/errors.ts'
import { Hmac } from './hmac.ts'

/** A configured key: its public id and what is derived from it. */
export interface SealKey {
  /** First 12 hex digits of a hash of the key: names it in messages, tells nothing of it. */
  readonly id: string
  readonly secret: Buffer
}

/** Reads a configured key. @throws MacaronError `SEAL_KEY_TOO_SHORT` under 32 bytes. */
export function sealKey(text: string): SealKey {
  const secret = Buffer.from(text, 'utf8')
  if (secret.length < 32) {
    throw new MacaronError(
      'SEAL_KEY_TOO_SHORT',
      `A key in seal_keys has ${secret.length} bytes; it needs at least 32. Make one with: node -p "crypto.randomBytes(32).toString('base64url')"`,
    )
  }
  const id = createHash('sha256').update('macaron key id').update(secret).digest('hex').slice(0, 12)
  return { id, secret }
}

/** The id of the key that a context says it was sealed with. */
export function sealedWith(context: string): string {
  return context.split('.', 2)[1] ?? ''
}

/** What one process seals with, and others open what it has sealed. */
export interface Subkeys {
  readonly encrypts: KeyObject
  readonly signs: Hmac
}

/** Two subkeys of 32 bytes (HKDF-SHA-256, RFC 5869). */
export function deriveKeys(secret: Buffer, salt: Buffer): Subkeys {
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, salt, purpose, 32))
  return {
    encrypts: createSecretKey(derive('macaron context v2')),
    signs: new Hmac(derive('macaron message v2')),
  }
}
