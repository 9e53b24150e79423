/**
 * TypeScript text with comments, the insides of strings and of regular expressions blanked out, at the same offsets and
 * line breaks, so that the checks can look for code without finding prose. There is no compiler API in TypeScript 7.
 */
export interface Blanked {
  /** Code only; quotes stay. */
  readonly code: string
  /** Comments only, at the same offsets. */
  readonly comments: string
}

/** Splits `text` into its code and its comments, both as long as `text`. */
export function blank(text: string): Blanked {
  const parts = split(text)
  return {
    code: paint(text, parts, 'code'),
    comments: paint(text, parts, 'comment'),
  }
}

/** A stretch of text; what isn't listed is code. */
interface Part {
  readonly kind: 'comment' | 'text'
  readonly from: number
  readonly to: number
  /** Where to go on reading: past the closing quote, which is no part of the stretch. */
  readonly next: number
}

function paint(text: string, parts: readonly Part[], kept: 'code' | 'comment'): string {
  let painted = ''
  let at = 0
  for (const part of parts) {
    const code = text.slice(at, part.from)
    const inside = text.slice(part.from, part.to)
    painted +=
      kept === 'code'
        ? code + spaces(inside)
        : spaces(code) + (part.kind === 'comment' ? inside : spaces(inside))
    at = part.to
  }
  const rest = text.slice(at)
  return painted + (kept === 'code' ? rest : spaces(rest))
}

function spaces(text: string): string {
  return text.replace(/[^\n]/g, ' ')
}

/** One token at a time from the start; `depths` holds the open braces of each template literal we are inside of. */
function split(text: string): readonly Part[] {
  const parts: Part[] = []
  const depths: number[] = []
  let at = 0
  while (at < text.length) {
    const part = partAt(text, at, depths)
    if (part === undefined) {
      at += 1
      continue
    }
    parts.push(part)
    at = part.next
  }
  return parts
}

function partAt(text: string, at: number, depths: number[]): Part | undefined {
  const char = text[at] ?? ''
  if (char === '/') return slashPart(text, at)
  if (char === "'" || char === '"') return quoted(at, endOfString(text, at))
  if (char === '`') return templatePart(text, at, depths)
  if (char === '{') bump(depths, 1)
  if (char === '}') {
    if (depths.at(-1) === 0) {
      depths.pop()
      return templatePart(text, at, depths)
    }
    bump(depths, -1)
  }
  return undefined
}

function bump(depths: number[], by: number): void {
  const depth = depths.pop()
  if (depth !== undefined) depths.push(depth + by)
}

function slashPart(text: string, at: number): Part | undefined {
  if (text.startsWith('//', at)) return whole('comment', at, orEnd(text, text.indexOf('\n', at)))
  if (text.startsWith('/*', at)) {
    const close = text.indexOf('*/', at + 2)
    return whole('comment', at, close < 0 ? text.length : close + 2)
  }
  if (!startsRegex(text.slice(Math.max(0, at - 40), at))) return undefined
  return quoted(at, endOfRegex(text, at))
}

/** A slash after a value divides; after anything else it opens a regular expression. */
function startsRegex(before: string): boolean {
  return /(^|[=(,[!&|?:;{}+\-*%<>~^\n]|=>|\b(return|typeof|case|in|of|await|yield))\s*$/.test(before)
}

function endOfRegex(text: string, open: number): number {
  let inClass = false
  for (let at = open + 1; at < text.length; at += 1) {
    const char = text[at]
    if (char === '\\') at += 1
    else if (char === '[') inClass = true
    else if (char === ']') inClass = false
    else if (char === '\n' || (char === '/' && !inClass)) return at
  }
  return text.length
}

/** The offset of the closing quote. */
function endOfString(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === text[open] || text[at] === '\n') return at
  }
  return text.length
}

/** From a backtick or the end of a `${}` to the next of either; what stands in `${}` is code again. */
function templatePart(text: string, open: number, depths: number[]): Part {
  for (let at = open + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '`') return whole('text', open, at + 1)
    else if (text.startsWith('${', at)) {
      depths.push(0)
      return whole('text', open, at + 2)
    }
  }
  return whole('text', open, text.length)
}

function quoted(open: number, close: number): Part {
  return { kind: 'text', from: open + 1, to: close, next: close + 1 }
}

function whole(kind: Part['kind'], from: number, to: number): Part {
  return { kind, from, to, next: to }
}

function orEnd(text: string, at: number): number {
  return at < 0 ? text.length : at
}
