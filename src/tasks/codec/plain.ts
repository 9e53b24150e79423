/**
 * The short way of the codec: the JSON text of a value that JSON carries exactly as it is, without a copy. Undefined for any other, and
 * for one that is deep or larger than `most` bytes, which the encoder judges.
 */
export function plainText(value: unknown, most: number): string | undefined {
  try {
    return isPlain(value, { depth: 0, left: most }) ? JSON.stringify(value) : undefined
  } catch {
    // A getter or a proxy threw: the encoder meets it again and names its path.
    return undefined
  }
}

const deepest = 20

interface Walk {
  depth: number
  /** Parts and letters of texts: references shared by many parents make a few of them into endless texts. */
  left: number
}

function isPlain(value: unknown, walk: Walk): boolean {
  if (--walk.left < 0) return false
  if (typeof value === 'string') return isShort(value, walk)
  if (typeof value !== 'object') return isPlainScalar(value)
  if (value === null) return true
  if (walk.depth >= deepest || hasToJson(value)) return false
  walk.depth++
  const plain = Array.isArray(value) ? isPlainArray(value, walk) : isPlainObject(value, walk)
  walk.depth--
  return plain
}

function isShort(text: string, walk: Walk): boolean {
  walk.left -= text.length
  return walk.left >= 0
}

function isPlainScalar(value: unknown): boolean {
  if (typeof value === 'boolean') return true
  return typeof value === 'number' && Number.isFinite(value) && !Object.is(value, -0)
}

/** JSON.stringify would call it, also where it is inherited or not enumerable. */
function hasToJson(value: object): boolean {
  return 'toJSON' in value && typeof value.toJSON === 'function'
}

function isPlainArray(items: readonly unknown[], walk: Walk): boolean {
  if (items.length > walk.left || Object.getPrototypeOf(items) !== Array.prototype) return false
  // By index, since `every` passes over holes; a hole reads as undefined, which is not plain.
  for (let index = 0; index < items.length; index++) {
    if (!isPlain(items[index], walk)) return false
  }
  return true
}

function isPlainObject(object: object, walk: Walk): boolean {
  if (Object.getPrototypeOf(object) !== Object.prototype) return false
  if (Object.getOwnPropertySymbols(object).length > 0) return false
  // Twice as fast as Object.entries. Nothing enumerable is inherited, unless someone has spoilt Object.prototype; then the encoder decides.
  for (const key in object) {
    // Any object can be asked for a key it has named itself.
    if (key.startsWith('$') || !isPlain((object as Record<string, unknown>)[key], walk)) return false
  }
  return true
}
