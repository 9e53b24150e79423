import { hash } from 'node:crypto'
import { roomFor } from './text-room.ts'

/**
 * HMAC-SHA-256 (RFC 2104) of texts under one key, as two plain hashes: Node's own object for it takes longer to be made than a whole message to be hashed, and several
 * times as long where only one is hashed at a time.
 */
export class Hmac {
  readonly #inner: Buffer
  readonly #outer: Buffer

  constructor(key: Buffer) {
    this.#inner = padded(key, 0x36)
    this.#outer = Buffer.concat([padded(key, 0x5c), Buffer.alloc(32)])
  }

  /** Of the text's UTF-8, in base64url. */
  of(text: string): string {
    const room = roomFor(text, blockBytes)
    this.#inner.copy(room)
    const end = blockBytes + room.write(text, blockBytes)
    // As letters of one byte each: they need no buffer of their own.
    this.#outer.write(hash('sha256', room.subarray(0, end), 'binary'), blockBytes, 'latin1')
    return hash('sha256', this.#outer, 'base64url')
  }
}

const blockBytes = 64

function padded(key: Buffer, pad: number): Buffer {
  const block = Buffer.alloc(blockBytes)
  const fitting = key.length > blockBytes ? hash('sha256', key, 'buffer') : key
  fitting.copy(block)
  for (const [at, byte] of block.entries()) block[at] = byte ^ pad
  return block
}
