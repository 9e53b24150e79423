/** JSON Pointers (RFC 6901) and the references that are written with them. */

/** The pointer of a child: `pointer` plus one segment, escaped. */
export function below(pointer: string, ...segments: readonly (string | number)[]): string {
  return segments.reduce<string>((at, segment) => `${at}/${escapeSegment(String(segment))}`, pointer)
}

/** The segments of a pointer, unescaped. */
export function segmentsOf(pointer: string): string[] {
  return pointer === '' ? [] : pointer.slice(1).split('/').map(unescapeSegment)
}

/** The pointer of a reference within the file (`#/definitions/Pet`), or undefined for any other text. */
export function pointerOfRef(ref: string): string | undefined {
  if (ref !== '#' && !ref.startsWith('#/')) return undefined
  try {
    return decodeURIComponent(ref.slice(1))
  } catch {
    return undefined
  }
}

export function escapeSegment(segment: string): string {
  // Nearly no segment needs it, and big specs have millions.
  if (!segment.includes('~') && !segment.includes('/')) return segment
  return segment.replaceAll('~', '~0').replaceAll('/', '~1')
}

function unescapeSegment(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** What a pointer leads to in a parsed document, or undefined. */
export function valueAt(root: unknown, pointer: string): unknown {
  let value = root
  for (const segment of segmentsOf(pointer)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined
    // Own key of a parsed object or array, checked on the line above.
    value = (value as Record<string, unknown>)[segment]
  }
  return value
}
