import type { Parameter } from './api.ts'
import { setOwn } from './plain.ts'
import { decoded } from './raw-query.ts'
import type { TextReader } from './scalars.ts'

/**
 * Values that are written into one text, by the styles of OpenAPI: a scalar is the text, lists and objects are split at the style's
 * separator. Texts of queries and cookies are percent-encoded, those of paths and headers are not.
 */

/** The value of one text; the text must be rightly encoded where `isEncoded`. */
export function readText(text: string, parameter: Parameter, reader: TextReader): unknown {
  const body = withoutPrefix(text, parameter, reader)
  if (reader.kind === 'scalar') return reader.read(decode(body, parameter))
  const pieces = body === '' ? [] : body.split(separatorOf(parameter, reader, body))
  if (reader.kind === 'list') return readList(pieces, parameter, reader)
  return parameter.explode ? readMembers(pieces, parameter, reader) : readPairs(pieces, parameter, reader)
}

/** Whether the texts of a parameter are percent-encoded. */
export function isEncoded({ in: place }: Parameter): boolean {
  return place === 'query' || place === 'cookie'
}

function decode(text: string, parameter: Parameter): string {
  if (isEncoded(parameter)) return decoded(text) ?? text
  return parameter.in === 'header' ? text.trim() : text
}

/** `label` begins with a dot, `matrix` with `;name=`, or `;name` alone where the text is empty; the members of an exploded list or object come with names. */
function withoutPrefix(text: string, { style, name, explode }: Parameter, { kind }: TextReader): string {
  if (style === 'label') return text.startsWith('.') ? text.slice(1) : text
  if (style !== 'matrix') return text
  const body = text.startsWith(';') ? text.slice(1) : text
  if (explode && kind !== 'scalar') return body
  if (body === name) return ''
  return body.startsWith(`${name}=`) ? body.slice(name.length + 1) : body
}

function separatorOf({ style, explode }: Parameter, reader: TextReader, body: string): RegExp | string {
  switch (style) {
    case 'spaceDelimited':
      return /%20| /
    case 'pipeDelimited':
      return /%7C|\|/i
    case 'tabDelimited':
      return /%09|\t/
    case 'label':
      // OpenAPI 3.0 writes lists with dots, RFC 6570 and later versions with commas.
      return explode || !body.includes(',') ? '.' : ','
    case 'matrix':
      return explode ? ';' : ','
    default:
      // Clients often encode the commas too; only within strings can that mean a comma that separates nothing.
      return reader.hasText ? ',' : /,|%2C/i
  }
}

function readList(pieces: readonly string[], parameter: Parameter, reader: TextReader): unknown[] {
  const prefix = parameter.style === 'matrix' && parameter.explode ? `${parameter.name}=` : ''
  return pieces.map((piece) => {
    const text = piece.startsWith(prefix) ? piece.slice(prefix.length) : piece
    return reader.read(decode(text, parameter))
  })
}

/** `R=100,G=200` */
function readMembers(pieces: readonly string[], parameter: Parameter, reader: TextReader): object {
  const value = {}
  for (const piece of pieces) {
    const equals = piece.indexOf('=')
    const name = decode(equals === -1 ? piece : piece.slice(0, equals), parameter)
    const text = equals === -1 ? '' : piece.slice(equals + 1)
    setOwn(value, name, reader.read(decode(text, parameter), name))
  }
  return value
}

/** `R,100,G,200` */
function readPairs(pieces: readonly string[], parameter: Parameter, reader: TextReader): object {
  const value = {}
  for (let index = 0; index < pieces.length; index += 2) {
    const name = decode(pieces[index] ?? '', parameter)
    setOwn(value, name, reader.read(decode(pieces[index + 1] ?? '', parameter), name))
  }
  return value
}
