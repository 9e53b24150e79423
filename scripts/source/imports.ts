import { posix } from 'node:path'
import { lineAt, type SourceFile } from './files.ts'

/** The imports of a file, found as text: static, type-only, re-exports, for their effects, and dynamic with a plain string. */
export interface Import {
  readonly specifier: string
  readonly line: number
  /** Gone when the program runs. */
  readonly typeOnly: boolean
  /** The names between the braces, as written; empty for other forms. */
  readonly names: readonly string[]
}

const forms = [
  /\b(?:import|export)(?<type>\s+type)?(?=[\s{*])(?:(?!\b(?:import|export)\b)[^'"();=])*?\bfrom\s*(?<quote>['"])/g,
  /\bimport\s*(?<quote>['"])/g,
  /\bimport\s*\(\s*(?<quote>['"])/g,
]

/** Everything `file` imports, in the order of its forms. */
export function importsOf(file: SourceFile): readonly Import[] {
  return forms.flatMap((form) => [...file.code.matchAll(form)].map((match) => importAt(file, match)))
}

function importAt(file: SourceFile, match: RegExpExecArray): Import {
  const start = match.index + match[0].length
  const quote = match.groups?.quote ?? "'"
  return {
    specifier: file.text.slice(start, file.text.indexOf(quote, start)),
    line: lineAt(file.text, start),
    typeOnly: match.groups?.type !== undefined,
    names: namesIn(match[0]),
  }
}

function namesIn(statement: string): readonly string[] {
  const inside = /\{([^}]*)\}/.exec(statement)?.[1] ?? ''
  return inside
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

/** The path, from the root, that a relative import of `file` points to; undefined for packages. */
export function targetOf(file: SourceFile, found: Import): string | undefined {
  if (!found.specifier.startsWith('.')) return undefined
  return posix.normalize(posix.join(posix.dirname(file.path), found.specifier))
}
