import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/**
 * How far an executor has got in what was handed to it: four bytes in a file without a name, open in both processes. The executor writes the number of
 * an order before it decides whether to begin it; the worker can read it at any time, also when the executor is blocked, stopped or dead.
 *
 * The four bytes hold the number modulo 2^32; the worker knows the rest, since the executor is never that far behind its newest order. Eight bytes would
 * hold all of it, but nobody promises that they are read as they were written in one piece.
 *
 * This is what a message can't tell: the code that a task runs before its first await may block the loop that would send it. A write costs less than a
 * microsecond, a message ten.
 */
export interface Mark {
  /** To be passed on to the executor, in which it is `markFile`. */
  readonly file: number
  /** The number of the last order the executor has come to; 0 when none. `newest` is that of the last one made for it. */
  read(newest: number): number
  close(): void
}

/** Where the executor finds the open file. */
export const markFile = 4

/** Makes a mark, in the worker. `folder` only holds its file until it is open. */
export function makeMark(folder: string, id: string): Mark {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, `${id}.mark`)
  const file = openSync(path, 'w+', 0o600)
  rmSync(path)
  const word = new Uint32Array(1)
  writeSync(file, word, 0, 4, 0)
  const read = (newest: number): number => {
    readSync(file, word, 0, 4, 0)
    // `>>> 0` is the remainder of a division by 2^32: how far it is behind.
    return newest - ((newest - (word[0] ?? 0)) >>> 0)
  }
  return { file, read, close: () => closeSync(file) }
}

/** Sets the mark, in the executor. */
export function markWriter(file: number): (order: number) => void {
  const word = new Uint32Array(1)
  return (order) => {
    word[0] = order
    writeSync(file, word, 0, 4, 0)
  }
}
