import { writeSync } from 'node:fs'
import { asError, codeOf } from './errors.ts'

/**
 * Writes a text to standard output before it returns. Where nobody takes it (a full disk, a closed pipe) it is lost, and the next one is
 * tried again: what a service says must not end it. Gives why it is lost.
 */
export function writeOut(text: string): Error | undefined {
  return write(1, text)
}

/** The same to standard error. */
export function writeError(text: string): void {
  write(2, text)
}

function write(to: 1 | 2, text: string): Error | undefined {
  const bytes = Buffer.from(text)
  let written = 0
  while (written < bytes.length) {
    try {
      written += writeSync(to, bytes, written)
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') return asError(error)
      // A reader slower than we are, on a pipe that does not wait by itself.
      Atomics.wait(clock, 0, 0, 5)
    }
  }
  return undefined
}

/** Never changes: it is only waited on. */
const clock = new Int32Array(new SharedArrayBuffer(4))
