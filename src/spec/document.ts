import { anchorsOf } from './anchors.ts'
import type { PlacedFault } from './locate.ts'
import { pointerOfRef, valueAt } from './pointers.ts'

/**
 * A spec file while it is read: the raw data, where it came from, and the faults found so far. Readers add faults and go on,
 * so that one run reports all of them.
 */

export type Raw = Readonly<Record<string, unknown>>

/** An object of the document and where it stands (after following references). */
export interface Part {
  readonly raw: Raw
  readonly pointer: string
}

export function isRaw(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export class SpecDocument {
  readonly file: string
  readonly root: Raw
  readonly #faults: PlacedFault[] = []
  #anchors: ReadonlyMap<string, readonly string[]> | undefined

  constructor(file: string, root: Raw) {
    this.file = file
    this.root = root
  }

  get faults(): readonly PlacedFault[] {
    return this.#faults
  }

  fault(pointer: string, message: string): void {
    this.#faults.push({ pointer, message })
  }

  /** The object at `pointer`, references followed; undefined with a fault where it is no object or leads nowhere. */
  part(value: unknown, pointer: string, what: string): Part | undefined {
    const seen = new Set<string>()
    let at: { value: unknown; pointer: string } = { value, pointer }
    while (isRaw(at.value) && typeof at.value.$ref === 'string') {
      const target = this.target(at.value.$ref, at.pointer)
      if (target === undefined) return undefined
      if (seen.has(target)) return this.#refuse(pointer, 'The reference leads back to itself')
      seen.add(target)
      at = { value: valueAt(this.root, target), pointer: target }
    }
    if (isRaw(at.value)) return { raw: at.value, pointer: at.pointer }
    return this.#refuse(at.pointer, `${what} must be an object, not ${describeRaw(at.value)}`)
  }

  /** The pointer a reference means; undefined with a fault where it leads out of the file or nowhere. */
  target(ref: string, pointer: string): string | undefined {
    const target = pointerOfRef(ref) ?? this.#anchored(ref, pointer)
    if (target === undefined) return undefined
    if (valueAt(this.root, target) !== undefined) return target
    return this.#refuse(pointer, `The reference "${ref}" leads nowhere: there is no ${target} in this file`)
  }

  /** What a reference by anchor or `$id` means. */
  #anchored(ref: string, pointer: string): string | undefined {
    this.#anchors ??= anchorsOf(this.root)
    const [found, second] = this.#anchors.get(ref) ?? []
    if (found === undefined) {
      return this.#refuse(
        pointer,
        `The reference "${ref}" leads out of this file. Only references within the file (#/…, or an $anchor or $id in it) are read: copy what it means into this file, or make one file of several: npx @redocly/cli bundle <file> -o apis/<name>.yaml.`,
      )
    }
    if (second === undefined) return found
    return this.#refuse(
      pointer,
      `The reference "${ref}" is not clear: both ${found} and ${second} are called so. Refer to one by its place (#/…).`,
    )
  }

  /** The entries of an object that may be absent; a fault where it is something else. */
  entries(value: unknown, pointer: string, what: string): readonly (readonly [string, unknown])[] {
    if (value === undefined) return []
    if (isRaw(value)) return Object.entries(value)
    this.fault(pointer, `${what} must be an object, not ${describeRaw(value)}`)
    return []
  }

  /** The items of a list that may be absent; a fault where it is something else. */
  items(value: unknown, pointer: string, what: string): readonly unknown[] {
    if (value === undefined) return []
    if (Array.isArray(value)) return value
    this.fault(pointer, `${what} must be a list, not ${describeRaw(value)}`)
    return []
  }

  #refuse(pointer: string, message: string): undefined {
    this.fault(pointer, message)
  }
}

/** A value of the document in a few words, for messages. */
export function describeRaw(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'an object'
  return JSON.stringify(value)
}
