import type { YAMLException } from 'js-yaml'

/** Places in texts as people count them. */

/** Both from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** The line and column of an offset in a text. */
export function positionAt(text: string, offset: number): Position {
  let line = 1
  let start = 0
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line++
    start = at + 1
  }
  return { line, column: offset - start + 1 }
}

/** Where a YAML parser has stopped; the first line where it doesn't say. */
export function positionOf({ mark }: YAMLException): Position {
  return { line: (mark?.line ?? 0) + 1, column: (mark?.column ?? 0) + 1 }
}
