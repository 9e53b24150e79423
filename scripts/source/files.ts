import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { type Blanked, blank } from './blank.ts'

/** The TypeScript files of a folder, read once, with their comments and strings told apart from code. */
export interface SourceFile extends Blanked {
  /** From the root, with `/`. */
  readonly path: string
  readonly text: string
}

/** All hand-written TypeScript below `folder` of `root`, in the order of their paths; none where the folder is absent. */
export function sourceFiles(root: string, folder: string): readonly SourceFile[] {
  const start = resolve(root, folder)
  if (!existsSync(start)) return []
  return readdirSync(start, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name) && !/\.(gen|d)\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes(`${sep}node_modules${sep}`))
    .sort()
    .map((file) => sourceFile(root, file))
}

function sourceFile(root: string, file: string): SourceFile {
  const text = readFileSync(file, 'utf8')
  return { path: relative(resolve(root), file).split(sep).join('/'), text, ...blank(text) }
}

/** The line of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line += 1
  return line
}

/** All matches of `pattern` (with the flag g) in a file's code, with their lines. */
export function matches(file: SourceFile, pattern: RegExp): readonly Match[] {
  return [...file.code.matchAll(pattern)].map((match) => ({
    line: lineAt(file.code, match.index),
    offset: match.index,
    text: match[0],
  }))
}

export interface Match {
  readonly line: number
  readonly offset: number
  readonly text: string
}
