import { codeOf } from '../core/errors.ts'
import { writeError, writeOut } from '../core/standard-output.ts'

/**
 * What a command prints. A reader that has seen enough (`head`) misses nothing. Where else it can't be written the command goes on, since it may have
 * more to do than to print, but its exit code tells.
 */
export function print(text: string): void {
  const fault = writeOut(text)
  if (fault !== undefined && codeOf(fault) !== 'EPIPE') tellLoss(fault)
}

/** One line of it. */
export function say(line: string): void {
  print(`${line}\n`)
}

/** One JSON document on one line. */
export function sayJson(document: unknown): void {
  say(JSON.stringify(document))
}

/** Rows under headings, in columns as wide as their widest cell. */
export function sayTable(headings: readonly string[], rows: readonly (readonly string[])[]): void {
  const lines = [headings, ...rows]
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  for (const line of lines)
    say(
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}

function tellLoss({ message }: Error): void {
  if (isToldOf) return
  isToldOf = true
  writeError(
    `Standard output can't be written (${message}): what this command prints is lost or cut short, though it does what it was asked to.\n`,
  )
  // At the very end: after --help commander ends the process with a code of its own.
  process.once('exit', () => {
    process.exitCode ||= 1
  })
}

let isToldOf = false
