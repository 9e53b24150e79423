import type { Fault } from '../source/faults.ts'
import { lineAt, matches, type SourceFile } from '../source/files.ts'
import { functionsOf } from './functions.ts'

/** The rules of CONTRIBUTING's style list that one file can break by itself. */
export type Rule = (file: SourceFile) => readonly Fault[]

const longestFile = 300
const longestFunction = 80
const mostParameters = 3

/** Beyond the longest file allowed. */
export const fileLength: Rule = (file) => {
  const lines = linesOf(file)
  return lines > longestFile
    ? [fault(file, 1, `has ${lines} lines, more than ${longestFile}: cut it by duty`)]
    : []
}

/** Functions that are too long, or take too many parameters. */
export const functionShape: Rule = (file) =>
  functionsOf(file).flatMap(({ name, line, lines, parameters }) => [
    ...((lines ?? 0) > longestFunction
      ? [fault(file, line, `${name} has ${lines} lines, more than ${longestFunction}`)]
      : []),
    ...(parameters > mostParameters
      ? [
          fault(
            file,
            line,
            `${name} takes ${parameters} parameters: from ${mostParameters + 1} on, take one options object`,
          ),
        ]
      : []),
  ])

/** Buckets, and barrels besides the package's own entry. */
export const fileName: Rule = (file) => {
  const name = file.path.split('/').at(-1) ?? ''
  if (/^(utils?|helpers?|common|misc|types)\.ts$/.test(name))
    return [fault(file, 1, `${name} says nothing: name the file after what it does`)]
  return name === 'index.ts' && file.path !== 'src/index.ts'
    ? [fault(file, 1, 'index.ts is for the entry of the package only')]
    : []
}

export const defaultExport: Rule = (file) =>
  found(file, /\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/g, 'default export: export it by name')

export const anyType: Rule = (file) =>
  found(file, /(?<=[:<|&,=(]\s*|\bas\s+|\breadonly\s+)any\b(?!\s*[:(.])/g, 'any: say what it is, or unknown')

export const nonNull: Rule = (file) =>
  found(file, /(?<=[\w$)\]])!(?=\s*(?:[.,;)\]}[(]|$|\n))/g, 'non-null assertion: check it instead')

/**
 * `as` needs a comment of why on its line, on the line above, or above the first line of the statement it is in; `as const`
 * doesn't.
 */
export const bareAs: Rule = (file) => {
  const lines = { code: file.text.split('\n'), comments: file.comments.split('\n') }
  return matches(file, /(?<=[\w$)\]}'"`>\s])\bas\s+(?!const\b|default\b)(?=[\w$({['"`])/g)
    .filter((match) => !inImportOrExport(file.code, match.offset))
    .filter(({ line }) => !isExplained(lines, line))
    .map(({ line }) => fault(file, line, '`as` without a comment of why on this line or above its statement'))
}

export const bareError: Rule = (file) =>
  found(
    file,
    /\bnew\s+(?:Type|Range|Syntax|Aggregate)?Error\s*\(/g,
    'bare Error: throw a MacaronError with a code and what to do',
  )

export const leftover: Rule = (file) =>
  [...file.comments.matchAll(/\b(?:TODO|FIXME|XXX|HACK)\b/g)].map((match) =>
    fault(file, lineAt(file.comments, match.index), `${match[0]}: do it or open an issue`),
  )

/** Lines as an editor counts them. */
export function linesOf(file: SourceFile): number {
  return file.text.split('\n').length - (file.text.endsWith('\n') ? 1 : 0)
}

function found(file: SourceFile, pattern: RegExp, message: string): readonly Fault[] {
  return matches(file, pattern).map(({ line }) => fault(file, line, message))
}

function inImportOrExport(code: string, offset: number): boolean {
  const start = Math.max(code.lastIndexOf('import', offset), code.lastIndexOf('export', offset))
  return start >= 0 && /^(?:import|export)(?:\s+type)?\s*(?:\*|\{[^}]*)\s*$/.test(code.slice(start, offset))
}

interface Lines {
  readonly code: readonly string[]
  readonly comments: readonly string[]
}

function isExplained({ code, comments }: Lines, line: number): boolean {
  if (hasText(comments[line - 1]) || hasText(comments[line - 2])) return true
  const indent = indentOf(code[line - 1])
  let start = line - 1
  while (start > 0 && (!hasText(code[start]) || indentOf(code[start]) >= indent)) start -= 1
  return /^\s*\/\//.test(comments[start - 1] ?? '')
}

function indentOf(line: string | undefined): number {
  return (line ?? '').search(/\S|$/)
}

function hasText(line: string | undefined): boolean {
  return line !== undefined && line.trim() !== ''
}

function fault(file: SourceFile, line: number, message: string): Fault {
  return { path: file.path, line, message }
}
