import type { Cipheriv, KeyObject } from 'node:crypto'
import { blockBytes, blocksIn, cipherAt, type Piece } from './counter-mode.ts'

/** Decrypts what was encrypted with the key stream of one key. */
export class KeyStreamReader {
  readonly #key: KeyObject
  /** Stands at `#place`. */
  #cipher: Cipheriv | undefined
  #place = 0

  constructor(key: KeyObject) {
    this.#key = key
  }

  /** The texts of pieces, each of which lies close behind the one before. */
  read(run: readonly Piece[]): readonly string[] {
    const cipher = this.#cipherFor(run[0]?.place ?? 0)
    const spans = run.map(({ place, data }) => spanOf(data, (place - this.#place) * blockBytes))
    const blocks = blocksIn(spans.at(-1)?.end ?? 0)
    const bytes = Buffer.allocUnsafe(blocks * blockBytes)
    for (const [index, { data }] of run.entries()) bytes.write(data, spans[index]?.start ?? 0, 'base64url')
    // Should it throw, nobody knows where it stands.
    this.#cipher = undefined
    const clear = cipher.update(bytes)
    this.#cipher = cipher
    this.#place += blocks
    return spans.map(({ start, end }) => clear.toString('utf8', start, end))
  }

  /** One that stands there, or a little before. */
  #cipherFor(place: number): Cipheriv {
    if (this.#cipher !== undefined && isClose(this.#place, place)) return this.#cipher
    this.#place = place
    return cipherAt(this.#key, place)
  }
}

/** A piece, and who can read it. */
export interface ReadablePiece extends Piece {
  readonly reader: KeyStreamReader
}

/** The texts of pieces, in their order. What lies close together is read together. */
export function readAll(pieces: readonly ReadablePiece[]): readonly string[] {
  const texts: string[] = []
  for (let from = 0; from < pieces.length; ) {
    const to = endOfRun(pieces, from)
    texts.push(...(pieces[from]?.reader.read(pieces.slice(from, to)) ?? []))
    from = to
  }
  return texts
}

function endOfRun(pieces: readonly ReadablePiece[], from: number): number {
  for (let index = from + 1; index < pieces.length; index++) {
    const [last, next] = [pieces[index - 1], pieces[index]]
    if (last?.reader !== next?.reader || !isClose(endOf(last), next?.place ?? 0)) return index
  }
  return pieces.length
}

function endOf(piece: Piece | undefined): number {
  return piece === undefined ? 0 : piece.place + blocksIn(spanOf(piece.data, 0).end)
}

/** Behind the other, and no further than it takes less time to go there than to begin anew. */
function isClose(place: number, next: number): boolean {
  return next >= place && next - place <= mostSkipped
}

/** Blocks: 8 KiB. */
const mostSkipped = 512

interface Span {
  readonly start: number
  readonly end: number
}

function spanOf(data: string, start: number): Span {
  return { start, end: start + Buffer.byteLength(data, 'base64url') }
}
