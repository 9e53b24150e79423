/**
 * Where a text stops being JSON, and what was expected there. Only asked for texts that `JSON.parse` has refused: its own messages name a
 * position for some faults and none for others.
 */
export interface JsonFault {
  /** Characters from the start. */
  readonly offset: number
  /** `expected a value but found "x"`. */
  readonly message: string
}

/** The first fault of `text`, or undefined where it is JSON. */
export function faultOf(text: string): JsonFault | undefined {
  return new Scanner(text).scan()
}

type Expected = 'value' | 'item' | 'key' | 'first key' | 'colon' | 'more'

const words: Readonly<Record<Expected, string>> = {
  value: 'a value',
  item: 'a value or "]"',
  key: 'a property name in double quotes',
  'first key': 'a property name in double quotes or "}"',
  colon: '":"',
  more: '"," or the end of the object or array',
}

class Scanner {
  readonly #text: string
  /** The brackets that are open. */
  readonly #open: string[] = []
  #at = 0
  #expected: Expected = 'value'

  constructor(text: string) {
    this.#text = text
  }

  scan(): JsonFault | undefined {
    for (;;) {
      this.#skip(/[ \t\r\n]*/y)
      const done = this.#expected === 'more' && this.#open.length === 0
      if (done && this.#at === this.#text.length) return undefined
      if (done) return this.#fault('nothing more')
      if (!this.#step()) return this.#fault(words[this.#expected])
    }
  }

  /** Takes one token; false where it isn't what is expected. */
  #step(): boolean {
    const char = this.#text.charAt(this.#at)
    switch (this.#expected) {
      case 'value':
        return this.#value(char)
      case 'item':
        return this.#close(char, ']') || this.#value(char)
      case 'first key':
        return this.#close(char, '}') || this.#key()
      case 'key':
        return this.#key()
      case 'colon':
        return this.#take(char === ':', 'value')
      case 'more':
        return this.#more(char)
    }
  }

  #value(char: string): boolean {
    if (char === '{' || char === '[') {
      this.#open.push(char)
      return this.#take(true, char === '{' ? 'first key' : 'item')
    }
    if (!this.#skip(scalar)) return false
    this.#expected = 'more'
    return true
  }

  #key(): boolean {
    if (!this.#skip(string)) return false
    this.#expected = 'colon'
    return true
  }

  #more(char: string): boolean {
    const inObject = this.#open.at(-1) === '{'
    if (char === ',') return this.#take(true, inObject ? 'key' : 'value')
    return this.#close(char, inObject ? '}' : ']')
  }

  #close(char: string, bracket: string): boolean {
    if (char !== bracket) return false
    this.#open.pop()
    return this.#take(true, 'more')
  }

  #take(fits: boolean, next: Expected): boolean {
    if (!fits) return false
    this.#at += 1
    this.#expected = next
    return true
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at
    if (!pattern.test(this.#text)) return false
    this.#at = pattern.lastIndex
    return true
  }

  #found(): string {
    const found = this.#text.codePointAt(this.#at)
    if (found === undefined) return 'it ends'
    // A whole text was looked for and none was there.
    if (found === 0x22) return 'found a text that does not end or holds a character that must be escaped'
    return `found ${JSON.stringify(String.fromCodePoint(found))}`
  }

  #fault(expected: string): JsonFault {
    return { offset: this.#at, message: `expected ${expected} but ${this.#found()}` }
  }
}

// Everything but the quote, the backslash and control characters.
const plain = '[ !#-[\\]-\\u{10ffff}]*'
const escaped = '\\\\(?:["\\\\/bfnrt]|u[\\da-fA-F]{4})'
const text = `"${plain}(?:${escaped}${plain})*"`
const string = new RegExp(text, 'uy')
const scalar = new RegExp(`${text}|-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?|true|false|null`, 'uy')
