/**
 * Where a place stands in JSON text, by walking the text once. A parser that keeps positions takes seconds for a 13 MB spec;
 * this one skips what it doesn't need.
 */

/** The offset of the value, or of its key, that `segments` lead to; of the nearest parent where there is none. */
export function jsonOffset(text: string, segments: readonly string[]): number {
  let offset = skipSpace(text, 0)
  let value = offset
  for (const segment of segments) {
    const child = text[value] === '{' ? member(text, value, segment) : item(text, value, Number(segment))
    if (child === undefined) break
    offset = child.key
    value = child.value
  }
  return offset
}

interface Child {
  /** The offset of the key in an object, of the value in a list. */
  readonly key: number
  readonly value: number
}

function member(text: string, object: number, name: string): Child | undefined {
  let at = skipSpace(text, object + 1)
  while (text[at] === '"') {
    const end = endOfString(text, at)
    const value = skipSpace(text, skipSpace(text, end) + 1)
    if (JSON.parse(text.slice(at, end)) === name) return { key: at, value }
    at = nextEntry(text, value)
  }
  return undefined
}

function item(text: string, list: number, index: number): Child | undefined {
  if (text[list] !== '[') return undefined
  let at = skipSpace(text, list + 1)
  for (let count = 0; count < index; count++) {
    if (at >= text.length || text[at] === ']') return undefined
    at = nextEntry(text, at)
  }
  return text[at] === ']' ? undefined : { key: at, value: at }
}

/** The start of what follows the value at `at` and its comma. */
function nextEntry(text: string, at: number): number {
  const end = skipSpace(text, endOfValue(text, at))
  return text[end] === ',' ? skipSpace(text, end + 1) : end
}

function endOfValue(text: string, at: number): number {
  if (text[at] === '"') return endOfString(text, at)
  if (text[at] !== '{' && text[at] !== '[') return endOfLiteral(text, at)
  let depth = 0
  for (let index = at; index < text.length; index++) {
    const letter = text[index]
    if (letter === '"') index = endOfString(text, index) - 1
    else if (letter === '{' || letter === '[') depth++
    else if ((letter === '}' || letter === ']') && --depth === 0) return index + 1
  }
  return text.length
}

function endOfString(text: string, at: number): number {
  for (let index = at + 1; index < text.length; index++) {
    if (text[index] === '\\') index++
    else if (text[index] === '"') return index + 1
  }
  return text.length
}

function endOfLiteral(text: string, at: number): number {
  let index = at
  while (index < text.length && !',]} \t\r\n'.includes(text.charAt(index))) index++
  return index
}

function skipSpace(text: string, at: number): number {
  let index = at
  while (index < text.length && ' \t\r\n'.includes(text.charAt(index))) index++
  return index
}
