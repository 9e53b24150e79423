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
  const headers = new Map<string, string>()
  for (const line of bytes.toString('utf8').split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon <= 0) throw unreadable('a part has a header line without a name')
    headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase() ?? 'binary'
  if (!['7bit', '8bit', 'binary'].includes(encoding)) {
    throw unreadable(
      'a part has a Content-Transfer-Encoding, which RFC 7578 does away with; send it as it is',
    )
  }
  const { name, filename } = readDisposition(headers.get('content-disposition'))
  return { name, filename, type: essenceOf(headers.get('content-type') ?? '') || 'text/plain' }
}

function readDisposition(text = ''): Pick<PartHead, 'name' | 'filename'> {
  if (!/^form-data\s*(;|$)/i.test(text)) {
    throw unreadable('a part has no "Content-Disposition: form-data"')
  }
  const parameters = new Map<string, string>()
  for (const [, key = '', quoted, token = ''] of text.matchAll(parameter)) {
    parameters.set(key.toLowerCase(), quoted === undefined ? token : unquoted(quoted))
  }
  const name = parameters.get('name')
  if (name === undefined) throw unreadable('a part has no name')
  const extended = extendedValue(parameters.get('filename*'))
  const filename = extended ?? parameters.get('filename')
  return { name, filename: filename === undefined ? undefined : withoutFolders(filename) }
}

// Each piece begins with a semicolon and ends before the next one that is not inside quotes.
const parameter = /;\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/gs

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
