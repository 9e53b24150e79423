import { now } from '../core/clock.ts'

/** A bounded memory of what tokens said, each until its own time; the oldest makes room. */
export class TokenCache<Value> {
  readonly #size: number
  readonly #entries = new Map<string, { readonly value: Value; readonly until: number }>()

  constructor(size: number) {
    this.#size = size
  }

  /** What was remembered for `token`, unless its time has passed. */
  get(token: string): Value | undefined {
    const entry = this.#entries.get(token)
    if (entry === undefined) return undefined
    if (entry.until > now()) return entry.value
    this.#entries.delete(token)
    return undefined
  }

  /** Remembers `value` until `until` (ms since epoch). */
  set(token: string, value: Value, until: number): void {
    this.#entries.delete(token)
    if (this.#entries.size >= this.#size) this.#forgetOldest()
    this.#entries.set(token, { value, until })
  }

  #forgetOldest(): void {
    // A Map keeps the order of insertion.
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }
}
