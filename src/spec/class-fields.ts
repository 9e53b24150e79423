/**
 * The instance fields and private names that a class declares, read from its source text: they are made by its constructor, which never runs for
 * models, and nothing else at run time tells of them.
 */

/** `name = …`, `name;`, `#name = …`, `#name() {}` of the class's own body, as they are named there; static ones are not among them. */
export function fieldsOf(source: string): readonly string[] {
  const body = bodyOf(tokensOf(source))
  const fields: string[] = []
  for (let at = 0; at < body.length; ) {
    const member = memberAt(body, at)
    if (!member.isStatic && (member.isField || member.name.startsWith('#'))) fields.push(member.name)
    at = member.end
  }
  return fields
}

/** A word, or a whole group in brackets, braces or parentheses, of which only the kind and what is in it matter. */
interface Token {
  readonly text: string
  /** Whether a line ends before it. */
  readonly newLine: boolean
  readonly inner?: readonly Token[]
}

/** The last braces of a class's text are its body. */
function bodyOf(tokens: readonly Token[]): readonly Token[] {
  return tokens.findLast(({ text }) => text === '{')?.inner ?? []
}

interface Member {
  readonly name: string
  readonly isStatic: boolean
  readonly isField: boolean
  /** Where the next one begins. */
  readonly end: number
}

const modifiers = new Set(['static', 'async', 'get', 'set', 'accessor', '*'])

function memberAt(body: readonly Token[], start: number): Member {
  let at = start
  let isStatic = false
  while (isModifier(body[at], body[at + 1])) {
    isStatic ||= body[at]?.text === 'static'
    at++
  }
  const name = nameOf(body[at])
  if (name === undefined) return { name: '', isStatic: true, isField: false, end: at + 1 }
  if (name === 'static' && body[at + 1]?.text === '{')
    return { name, isStatic: true, isField: false, end: at + 2 }
  const isMethod = body[at + 1]?.text === '('
  return { name, isStatic, isField: !isMethod, end: isMethod ? at + 3 : endOfField(body, at + 1) }
}

function isModifier(token: Token | undefined, next: Token | undefined): boolean {
  if (token === undefined || next === undefined || !modifiers.has(token.text)) return false
  if (token.text === 'async' && next.newLine) return false
  return next.text === '*' || nameOf(next) !== undefined
}

function nameOf(token: Token | undefined): string | undefined {
  if (token === undefined) return undefined
  if (token.text === '[') return `[${token.inner?.map(({ text }) => text).join('') ?? ''}]`
  return /^[\w$#"'\u0080-\uffff]/.test(token.text) ? token.text : undefined
}

/** A field ends at a semicolon, or at a line's end where its value is complete and a new member begins. */
function endOfField(body: readonly Token[], start: number): number {
  if (body[start]?.text !== '=') return body[start]?.text === ';' ? start + 1 : start
  for (let at = start + 1; at < body.length; at++) {
    const token = body[at]
    if (token?.text === ';') return at + 1
    const goesOn = token?.text === '[' || token?.text === 'in' || token?.text === 'instanceof'
    if (token?.newLine === true && endsValue(body[at - 1]) && !goesOn && nameOf(token) !== undefined)
      return at
  }
  return body.length
}

function endsValue(token: Token | undefined): boolean {
  if (token === undefined || operatorWords.has(token.text)) return false
  return /^[\w$#"'`({[/\u0080-\uffff]/.test(token.text) && token.text !== '/'
}

const operatorWords = new Set(
  'await case delete do else in instanceof new of return throw typeof void yield'.split(' '),
)

const closings = new Map([
  ['{', '}'],
  ['(', ')'],
  ['[', ']'],
])

/** White space and comments; a text; a template's part; a word or number; a single character. */
const pieces =
  /(?<space>(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+)|(?<text>"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*')|(?<word>#?[\w$\u0080-\uffff]+)|(?<other>[\s\S])/y

function tokensOf(source: string): readonly Token[] {
  let at = 0
  return group('')

  /** The tokens up to a closing character, which is passed. */
  function group(closing: string): readonly Token[] {
    const tokens: Token[] = []
    let newLine = false
    while (at < source.length) {
      const piece = next()
      if (piece.groups?.space !== undefined) {
        newLine ||= piece[0].includes('\n')
        continue
      }
      const [text] = piece
      if (text === closing) return tokens
      tokens.push({ newLine, ...whole(text, tokens.at(-1)) })
      newLine = false
    }
    return tokens
  }

  function next(): RegExpExecArray {
    pieces.lastIndex = at
    // Its last alternative takes any character.
    const piece = pieces.exec(source) as RegExpExecArray
    at += piece[0].length
    return piece
  }

  /** What begins with `text`: a group, a template, a regular expression, or the text itself. */
  function whole(text: string, before: Token | undefined): Omit<Token, 'newLine'> {
    const closing = closings.get(text)
    if (closing !== undefined) return { text, inner: group(closing) }
    if (text === '`') skipTemplate()
    if (text !== '/' || (endsValue(before) && before?.text !== '{')) return { text }
    skipPattern()
    return { text: '/…/' }
  }

  function skipTemplate(): void {
    for (
      let character = source[at++];
      character !== undefined && character !== '`';
      character = source[at++]
    ) {
      if (character === '\\') at++
      else if (character === '$' && source[at] === '{') {
        at++
        group('}')
      }
    }
  }

  function skipPattern(): void {
    let inClass = false
    for (let character = source[at++]; character !== undefined; character = source[at++]) {
      if (character === '\\') at++
      else if (character === '[') inClass = true
      else if (character === ']') inClass = false
      else if (character === '/' && !inClass) return
    }
  }
}
