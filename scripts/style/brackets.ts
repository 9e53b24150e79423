/** Finding one's way in code whose strings and comments are blanked out. */

const closers: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/** The offset of the bracket that closes the one at `open`; the end of the code where none does. */
export function closeOf(code: string, open: number): number {
  const waiting: string[] = []
  for (let at = open; at < code.length; at += 1) {
    const char = code[at] ?? ''
    const closer = closers[char]
    if (closer !== undefined) waiting.push(closer)
    else if (char === waiting.at(-1)) {
      waiting.pop()
      if (waiting.length === 0) return at
    }
  }
  return code.length
}

/** The next offset that is no white space. */
export function skipSpace(code: string, from: number): number {
  let at = from
  while (at < code.length && /\s/.test(code[at] ?? '')) at += 1
  return at
}

const prefixes = /^(?:readonly|keyof|typeof|unique|asserts|infer|new|abstract)\b/
const joins = /^(?:\||&|\.|\?|=>|is\b|extends\b)/
const term = /^(?:#?[\w$]+|['"]\s*['"]|-?\d+)/

/**
 * Where the type that starts at `from` ends: at the `{` of a body, at the `=>` of an arrow function, or at whatever else can't
 * belong to it. An arrow after `(…)` is taken for a function type.
 */
export function endOfType(code: string, from: number): number {
  let at = skipSpace(code, from)
  let wantsTerm = true
  let afterParen = false
  while (at < code.length) {
    const rest = code.slice(at, at + 200)
    const step: Step | undefined = wantsTerm
      ? termLength(code, at, rest)
      : joinLength(code, at, { rest, afterParen })
    if (step === undefined) return at
    afterParen = wantsTerm && code[at] === '('
    wantsTerm = step.wantsTerm
    at = skipSpace(code, at + step.length)
  }
  return at
}

interface Step {
  readonly length: number
  readonly wantsTerm: boolean
}

function termLength(code: string, at: number, rest: string): Step | undefined {
  const prefix = prefixes.exec(rest)?.[0] ?? (/^[|&]/.test(rest) ? rest[0] : undefined)
  if (prefix !== undefined) return { length: prefix.length, wantsTerm: true }
  if (closers[code[at] ?? ''] !== undefined) return { length: closeOf(code, at) - at + 1, wantsTerm: false }
  const word = term.exec(rest)?.[0]
  return word === undefined ? undefined : { length: word.length, wantsTerm: false }
}

function joinLength(
  code: string,
  at: number,
  around: { rest: string; afterParen: boolean },
): Step | undefined {
  if (code[at] === '<') return { length: closeOfAngle(code, at) - at + 1, wantsTerm: false }
  if (code[at] === '[') return { length: closeOf(code, at) - at + 1, wantsTerm: false }
  const join = joins.exec(around.rest)?.[0]
  if (join === undefined || (join === '=>' && !around.afterParen)) return undefined
  return { length: join.length, wantsTerm: true }
}

function closeOfAngle(code: string, open: number): number {
  let depth = 0
  for (let at = open; at < code.length; at += 1) {
    if (code[at] === '<') depth += 1
    else if (code[at] === '>' && code[at - 1] !== '=') depth -= 1
    if (depth === 0) return at
  }
  return code.length
}
