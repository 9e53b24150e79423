import { lineAt, type SourceFile } from '../source/files.ts'
import { closeOf, endOfType, skipSpace } from './brackets.ts'

/**
 * The functions of a file, found by matching brackets: every `(…)` that is followed by `{`, `=>` or a type and then one of
 * them, unless a keyword such as `if` stands before it. Approximate, and exact on formatted code.
 */
export interface FoundFunction {
  readonly name: string
  readonly line: number
  /** From the line of its name to that of its closing brace; undefined where the body is an expression. */
  readonly lines: number | undefined
  readonly parameters: number
}

const notFunctions = new Set([
  'if',
  'for',
  'while',
  'switch',
  'catch',
  'with',
  'await',
  'return',
  'typeof',
  'case',
])

/** All functions with a body, nested ones too. */
export function functionsOf(file: SourceFile): readonly FoundFunction[] {
  const found: FoundFunction[] = []
  for (let open = file.code.indexOf('('); open >= 0; open = file.code.indexOf('(', open + 1)) {
    const one = functionAt(file.code, open)
    if (one !== undefined) found.push(one)
  }
  return found
}

function functionAt(code: string, open: number): FoundFunction | undefined {
  const name = nameBefore(code, open)
  if (notFunctions.has(name)) return undefined
  const close = closeOf(code, open)
  const body = bodyAfter(code, close)
  if (body === undefined) return undefined
  const line = lineAt(code, open)
  const isBlock = code[body] === '{'
  return {
    name: name === '' ? '(anonymous)' : name,
    line,
    lines: isBlock ? lineAt(code, closeOf(code, body)) - line + 1 : undefined,
    parameters: parametersIn(code.slice(open + 1, close)),
  }
}

function nameBefore(code: string, open: number): string {
  const before = code.slice(Math.max(0, open - 200), open)
  return /(#?[\w$]+)\s*(?:<[^()]*>)?\s*$/.exec(before)?.[1] ?? ''
}

/** Where the body of a parameter list that ends at `close` starts: a `{`, or the expression after `=>`. */
function bodyAfter(code: string, close: number): number | undefined {
  let at = skipSpace(code, close + 1)
  if (code[at] === ':') at = endOfType(code, at + 1)
  if (code.startsWith('=>', at)) return skipSpace(code, at + 2)
  return code[at] === '{' ? at : undefined
}

function parametersIn(list: string): number {
  let depth = 0
  let commas = 0
  const trimmed = list.trim().replace(/,$/, '')
  for (const [at, char] of [...trimmed].entries()) {
    if ('([{'.includes(char) || (char === '<' && /\w/.test(trimmed[at - 1] ?? ''))) depth += 1
    else if (')]}'.includes(char) || (char === '>' && trimmed[at - 1] !== '=')) depth -= 1
    else if (char === ',' && depth === 0) commas += 1
  }
  if (trimmed === '') return 0
  return /^this\s*:/.test(trimmed) ? commas : commas + 1
}
