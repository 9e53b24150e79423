/**
 * A Map for what comes and goes by the thousands a second. Each time that V8 makes the table of a Map or Set anew, the old table stays as it was and
 * points to the new one; once a single old table has been moved to the old generation, nothing that was in any later one at such a moment is freed before
 * the next full collection. What is kept so here is an empty box and its key, which should be a number or a short text.
 */
export class BoxedMap<Key extends number | string, Value extends object> {
  readonly #boxes = new Map<Key, { value: Value | undefined }>()

  get size(): number {
    return this.#boxes.size
  }

  get(key: Key): Value | undefined {
    return this.#boxes.get(key)?.value
  }

  has(key: Key): boolean {
    return this.#boxes.has(key)
  }

  set(key: Key, value: Value): void {
    const box = this.#boxes.get(key)
    if (box === undefined) this.#boxes.set(key, { value })
    else box.value = value
  }

  /** Gives what was there. */
  delete(key: Key): Value | undefined {
    const box = this.#boxes.get(key)
    if (box === undefined) return undefined
    const { value } = box
    box.value = undefined
    this.#boxes.delete(key)
    return value
  }

  /** In the order in which their keys came, as a Map's are. */
  *values(): Generator<Value, undefined> {
    for (const { value } of this.#boxes.values()) if (value !== undefined) yield value
  }
}
