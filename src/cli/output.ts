import { writeOut } from '../core/standard-output.ts'

/** What a command says: lines on standard output, which may lead to a reader that has seen enough (`head`). */
export function say(line: string): void {
  writeOut(`${line}\n`)
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
