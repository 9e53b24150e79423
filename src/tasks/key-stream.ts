import type { Cipheriv, KeyObject } from 'node:crypto'
import { blockBytes, blocksIn, cipherAt, type Piece } from './counter-mode.ts'
import { roomFor } from './text-room.ts'

/** The key stream of one key, from its beginning on; no block of it is used twice. It is made ahead, so that a text has only to be mixed with it. */
export class KeyStream {
  readonly #key: KeyObject
  /** The first block that nothing was encrypted with. */
  #place = 0
  /** The stream from there on, behind what was used of it. */
  #ahead: Uint32Array = new Uint32Array(0)
  #used = 0
  /** Stands behind that. */
  #cipher: Cipheriv | undefined

  constructor(key: KeyObject) {
    this.#key = key
  }

  /** Encrypts texts into pieces that lie side by side. */
  encryptAll(texts: readonly string[]): readonly Piece[] {
    return texts.map((text) => this.#encrypt(text))
  }

  #encrypt(text: string): Piece {
    const bytes = roomFor(text)
    const length = bytes.write(text)
    const blocks = blocksIn(length)
    if (this.#used + blocks * blockWords > this.#ahead.length) this.#goAhead(blocks)
    mix(wordsOf(bytes), this.#ahead, { from: this.#used, count: blocks * blockWords })
    const place = this.#place
    this.#used += blocks * blockWords
    this.#place += blocks
    return { place, data: bytes.toString('base64url', 0, length) }
  }

  #goAhead(blocks: number): void {
    const left = this.#ahead.subarray(this.#used)
    const bytes = Buffer.alloc(blocks * blockBytes + aheadBytes)
    const ahead = wordsOf(bytes)
    ahead.set(left)
    const start = left.length * wordBytes
    bytes.set(this.#streamFor(bytes.subarray(start)), start)
    this.#ahead = ahead
    this.#used = 0
  }

  /** Zeros become the stream itself. */
  #streamFor(zeros: Buffer): Buffer {
    const left = (this.#ahead.length - this.#used) / blockWords
    const cipher = this.#cipher ?? cipherAt(this.#key, this.#place + left)
    // Should it throw, nobody knows where it stands: another goes on behind what is left.
    this.#cipher = undefined
    const stream = cipher.update(zeros)
    this.#cipher = cipher
    return stream
  }
}

const wordBytes = 4
const blockWords = blockBytes / wordBytes
const aheadBytes = 32_768

function wordsOf({ buffer, length }: Buffer): Uint32Array {
  return new Uint32Array(buffer, 0, length / wordBytes)
}

function mix(
  words: Uint32Array,
  stream: Uint32Array,
  { from, count }: { from: number; count: number },
): void {
  // Both are long enough.
  for (let at = 0; at < count; at++) words[at] = (words[at] as number) ^ (stream[from + at] as number)
}
