import { type Cipheriv, createCipheriv, type KeyObject } from 'node:crypto'

/**
 * AES-256 in counter mode (NIST SP 800-38A) over many texts. Each takes whole blocks of the key stream, and its place is the number of the first. Making a cipher
 * costs Node several times what it takes to encrypt a text, so whoever writes and whoever reads keeps one and goes on with it.
 */
export interface Piece {
  /** Below 2^48. */
  readonly place: number
  /** Encrypted, in base64url. */
  readonly data: string
}

export const blockBytes = 16

export function blocksIn(bytes: number): number {
  return Math.ceil(bytes / blockBytes)
}

/** One that begins with a block of the stream; encrypting and decrypting are the same. */
export function cipherAt(key: KeyObject, place: number): Cipheriv {
  return createCipheriv('aes-256-ctr', key, counterAt(place))
}

/** The counter's block at a place (SP 800-38A, appendix B.1). Each key is of one process alone, so it counts from 0. */
function counterAt(place: number): Buffer {
  const bytes = Buffer.alloc(blockBytes)
  bytes.writeUIntBE(place, blockBytes - 6, 6)
  return bytes
}
