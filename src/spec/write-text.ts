import type { Parameter } from './api.ts'

/**
 * Values written into one text, by the styles of OpenAPI (RFC 6570): what styled-text.ts reads. Pieces are percent-encoded wherever the place
 * allows it, so that a separator inside a value separates nothing; separators themselves are not.
 */

/** A value that a text can carry: neither a list nor an object. */
export type Scalar = string | number | boolean | bigint | Date | null

/** The text of a parameter's value, with what its style puts before it. */
export function writeText(value: unknown, parameter: Parameter): string {
  const { style, name, explode } = parameter
  if (isScalar(value)) return prefixed(escapeText(scalarText(value), parameter), parameter)
  const pieces = piecesOf(value, parameter)
  if (style === 'label') return `.${pieces.join(explode ? '.' : ',')}`
  if (style !== 'matrix') return pieces.join(separators[style] ?? ',')
  if (!explode) return `;${name}=${pieces.join(',')}`
  const members = Array.isArray(value) ? pieces.map((piece) => `${name}=${piece}`) : pieces
  return `;${members.join(';')}`
}

/** The entries of an object that have values. */
export function membersOf(value: unknown): (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).filter(([, part]) => part !== undefined)
}

export function isScalar(value: unknown): value is Scalar {
  return typeof value !== 'object' || value === null || value instanceof Date
}

/** A scalar as parameters have it: Dates as RFC 3339, everything else as JSON without quotes. */
export function scalarText(value: Scalar): string {
  return value instanceof Date ? value.toISOString() : String(value)
}

/** A text as its place takes it: percent-encoded, but in headers as it is. */
export function escapeText(text: string, { in: place }: Pick<Parameter, 'in'>): string {
  if (place === 'header') return text
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** The separators of one text; a comma for all other styles. */
const separators: Partial<Record<Parameter['style'], string>> = {
  spaceDelimited: '%20',
  pipeDelimited: '%7C',
  tabDelimited: '%09',
}

function prefixed(text: string, { style, name }: Parameter): string {
  if (style === 'label') return `.${text}`
  if (style !== 'matrix') return text
  return text === '' ? `;${name}` : `;${name}=${text}`
}

/** `a`, `b` of a list; `R=100`, `G=200` of an exploded object; `R`, `100`, `G`, `200` of any other. */
function piecesOf(value: unknown, parameter: Parameter): string[] {
  const write = (part: unknown) => escapeText(isScalar(part) ? scalarText(part) : '', parameter)
  if (Array.isArray(value)) return value.map(write)
  const pairs = membersOf(value).map(([name, part]) => [escapeText(name, parameter), write(part)] as const)
  return parameter.explode ? pairs.map((pair) => pair.join('=')) : pairs.flat()
}
