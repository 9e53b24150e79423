import { isUtf8 } from 'node:buffer'
import { essenceOf } from '../../spec/media.ts'
import { unreadable } from './unreadable.ts'

/** What stands before the content of a part (RFC 7578). */
export interface PartHead {
  /** Of the field. */
  readonly name: string
  /** As the caller says, without folders; undefined where the part says none, empty where no file was chosen. */
  readonly filename: string | undefined
  /** In lower case, without parameters; `text/plain` where the part says none. */
  readonly type: string
}

/** Reads the header lines of a part. @throws RequestError 400 `FORM_UNREADABLE`. */
export function readHead(bytes: Buffer): PartHead {
  if (!isUtf8(bytes)) throw unreadable('the header of a part is not UTF-8')
  const headers = headersIn(bytes.toString('utf8'))
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase() ?? 'binary'
  if (!['7bit', '8bit', 'binary'].includes(encoding)) {
    throw unreadable(
      'a part has a Content-Transfer-Encoding, which RFC 7578 does away with; send it as it is',
    )
  }
  const { name, filename } = readDisposition(headers.get('content-disposition'))
  return { name, filename, type: essenceOf(headers.get('content-type') ?? '') || 'text/plain' }
}

/** Header lines by name. A folded line, a bare line break or a header that is there twice would be read in another way by somebody else. */
function headersIn(text: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const line of text.split('\r\n')) {
    const [, name = '', value = ''] = /^([\w!#$%&'*+.^`|~-]+)[ \t]*:(.*)$/s.exec(line) ?? []
    if (name === '') throw unreadable('a part has a header line without a name')
    if (/[\r\n]/.test(value)) throw unreadable('the header of a part has a line break in it')
    setOnce(headers, name.toLowerCase(), value.trim())
  }
  return headers
}

function setOnce(map: Map<string, string>, name: string, value: string): void {
  if (map.has(name)) throw unreadable(`a part says twice what its ${name.slice(0, 50)} is`)
  map.set(name, value)
}

function readDisposition(text = ''): Pick<PartHead, 'name' | 'filename'> {
  const [disposition = ''] = /^form-data(?=\s*(?:;|$))/i.exec(text) ?? []
  if (disposition === '') throw unreadable('a part has no "Content-Disposition: form-data"')
  const parameters = new Map<string, string>()
  let at = disposition.length
  // One behind the other, with nothing between them.
  for (let found = parameterAt(text, at); found !== null; found = parameterAt(text, at)) {
    const [whole, key = '', quoted, token = ''] = found
    setOnce(parameters, key.toLowerCase(), quoted === undefined ? token : unquoted(quoted))
    at += whole.length
  }
  if (!/^[\s;]*$/.test(text.slice(at))) throw unreadable('the Content-Disposition of a part is not readable')
  const name = parameters.get('name')
  if (name === undefined) throw unreadable('a part has no name')
  const extended = extendedValue(parameters.get('filename*'))
  const filename = extended ?? parameters.get('filename')
  return { name, filename: filename === undefined ? undefined : withoutFolders(filename) }
}

/** The parameter that begins there. A text that ends in a backslash before its quote is a file's name as browsers write it. */
function parameterAt(text: string, at: number): RegExpExecArray | null {
  const parameter = /\s*;\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*|[^"]*)"|([^\s;"]*))(?=\s*(?:;|$))/sy
  parameter.lastIndex = at
  return parameter.exec(text)
}

/** curl escapes with backslashes, browsers with percent signs (WHATWG); a backslash before anything else is one of a Windows path. */
function unquoted(text: string): string {
  return text
    .replace(/\\(["\\])/g, '$1')
    .replaceAll('%22', '"')
    .replace(/%0d/gi, '\r')
    .replace(/%0a/gi, '\n')
}

/** `UTF-8''na%C3%AFve.txt` (RFC 5987). */
function extendedValue(text: string | undefined): string | undefined {
  const encoded = /^utf-8'[^']*'(.*)$/i.exec(text ?? '')?.[1]
  if (encoded === undefined) return undefined
  try {
    return decodeURIComponent(encoded)
  } catch {
    return undefined
  }
}

/** Control characters go too: they would forge lines in logs. */
function withoutFolders(filename: string): string {
  const name = filename.slice(Math.max(filename.lastIndexOf('/'), filename.lastIndexOf('\\')) + 1)
  const clean = name.replace(/\p{Cc}/gu, '')
  return clean === '.' || clean === '..' ? '' : clean
}
