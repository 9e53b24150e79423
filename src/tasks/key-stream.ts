import { type Cipheriv, createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'

/**
 * AES-256 in counter mode (NIST SP 800-38A) over many texts at once. Each text takes whole blocks of the key stream, and its place is the number of the
 * first. Making a cipher, and the buffer for what it gives, costs Node several times what it takes to encrypt a text, so texts that lie side by side
 * share both.
 */
export interface Piece {
  readonly key: KeyObject
  /** Below 2^48. */
  readonly place: number
  /** Encrypted, in base64url. */
  readonly data: string
}

const blockBytes = 16

/** The key stream of one key, from its beginning on; no block of it is used twice. */
export class KeyStream {
  readonly #key: KeyObject
  /** The first block that nothing was encrypted with. */
  #place = 0
  /** Stands there. */
  #cipher: Cipheriv | undefined

  constructor(key: KeyObject) {
    this.#key = key
  }

  /** Encrypts texts into pieces that lie side by side. */
  encryptAll(texts: readonly string[]): readonly Piece[] {
    const { bytes, spans } = layOut(texts.map((text) => Buffer.byteLength(text)))
    for (const [index, text] of texts.entries()) bytes.write(text, spans[index]?.start ?? 0)
    const first = this.#place
    const encrypted = this.#encrypt(bytes)
    return spans.map(({ start, end }) => ({
      key: this.#key,
      place: first + start / blockBytes,
      data: encrypted.toString('base64url', start, end),
    }))
  }

  #encrypt(blocks: Buffer): Buffer {
    const cipher = this.#cipher ?? createCipheriv('aes-256-ctr', this.#key, counterAt(this.#place))
    // Should it throw, nobody knows where it stands: another goes on behind what it was given.
    this.#cipher = undefined
    this.#place += blocks.length / blockBytes
    const encrypted = cipher.update(blocks)
    this.#cipher = cipher
    return encrypted
  }
}

/** The texts of pieces, in their order. */
export function decryptAll(pieces: readonly Piece[]): readonly string[] {
  const texts: string[] = []
  for (let from = 0; from < pieces.length; ) {
    const to = endOfRun(pieces, from)
    decryptRun(pieces.slice(from, to), texts)
    from = to
  }
  return texts
}

/** Behind the last of the pieces that lie side by side. */
function endOfRun(pieces: readonly Piece[], from: number): number {
  for (let index = from + 1; index < pieces.length; index++) {
    const [last, next] = [pieces[index - 1], pieces[index]]
    if (last?.key !== next?.key || next?.place !== placeAfter(last)) return index
  }
  return pieces.length
}

function placeAfter(piece: Piece | undefined): number {
  return piece === undefined ? 0 : piece.place + blocksIn(bytesOf(piece))
}

function decryptRun(run: readonly Piece[], texts: string[]): void {
  const [first] = run
  if (first === undefined) return
  const { bytes, spans } = layOut(run.map(bytesOf))
  for (const [index, { data }] of run.entries()) bytes.write(data, spans[index]?.start ?? 0, 'base64url')
  const clear = createDecipheriv('aes-256-ctr', first.key, counterAt(first.place)).update(bytes)
  for (const { start, end } of spans) texts.push(clear.toString('utf8', start, end))
}

function bytesOf({ data }: Piece): number {
  return Buffer.byteLength(data, 'base64url')
}

function blocksIn(bytes: number): number {
  return Math.ceil(bytes / blockBytes)
}

interface Span {
  readonly start: number
  readonly end: number
}

/** Room for texts of so many bytes, each from the beginning of a block. */
function layOut(lengths: readonly number[]): { readonly bytes: Buffer; readonly spans: readonly Span[] } {
  let blocks = 0
  const spans = lengths.map((length) => {
    const start = blocks * blockBytes
    blocks += blocksIn(length)
    return { start, end: start + length }
  })
  return { bytes: Buffer.allocUnsafe(blocks * blockBytes), spans }
}

/** The counter's block at a place (SP 800-38A, appendix B.1). Each key is of one process alone, so it counts from 0. */
function counterAt(place: number): Buffer {
  const bytes = Buffer.alloc(blockBytes)
  bytes.writeUIntBE(place, blockBytes - 6, 6)
  return bytes
}
