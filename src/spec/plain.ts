/** Copies of model data. */

/** An object's data as JSON has it: Dates as text, models as plain objects, undefined left out. */
export function plainOf(value: object): Record<string, unknown> {
  const plain: Record<string, unknown> = {}
  for (const [name, part] of Object.entries(value)) {
    if (part !== undefined) setOwn(plain, name, plainPart(part))
  }
  return plain
}

function plainPart(part: unknown): unknown {
  if (typeof part !== 'object' || part === null) return part
  if (Array.isArray(part)) return part.map(plainPart)
  // Dates, models and whatever else says itself how JSON has it.
  if ('toJSON' in part && typeof part.toJSON === 'function') return part.toJSON()
  return plainOf(part)
}

/** A copy of an object and of everything in it, prototypes kept. */
export function cloneOf<T extends object>(value: T): T {
  const copy = Object.create(Object.getPrototypeOf(value))
  for (const [name, part] of Object.entries(value)) setOwn(copy, name, clonePart(part))
  return copy
}

function clonePart(part: unknown): unknown {
  if (typeof part !== 'object' || part === null) return part
  if (Array.isArray(part)) return part.map(clonePart)
  if (part instanceof Date) return new Date(part)
  return cloneOf(part)
}

/** Sets an own property, also one whose name would otherwise set the prototype. */
export function setOwn(target: object, name: string, value: unknown): void {
  if (name !== '__proto__') {
    Reflect.set(target, name, value)
    return
  }
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })
}
