import { asError, codeOf } from './errors.ts'
import { emit } from './events.ts'

/** Of one failure that several meet, such as that a store can't be opened, the first tells. */
const toldErrors = new WeakSet<Error>()

/** Tells once for each reason why the store fails for this process, and once when it is well again. */
export class Trouble {
  readonly #told = new Set<string>()
  readonly #fullForMs: number
  #since = 0
  #fullAt = Number.NEGATIVE_INFINITY

  /** `fullForMs`: how long a store that was full counts as such, where what makes room goes on working meanwhile. Default 0. */
  constructor(fullForMs = 0) {
    this.#fullForMs = fullForMs
  }

  failed(thrown: unknown): void {
    const error = asError(thrown)
    const code = codeOf(error) ?? error.name
    if (code === 'STORE_FULL') this.#fullAt = performance.now()
    const isTold = toldErrors.has(error)
    toldErrors.add(error)
    if (isTold || this.#told.has(code)) return
    if (this.#told.size === 0) this.#since = performance.now()
    this.#told.add(code)
    emit('store.trouble', { code, message: error.message })
  }

  worked(): void {
    if (this.#told.size === 0) return
    const now = performance.now()
    if (now < this.#fullAt + this.#fullForMs) return
    this.#told.clear()
    emit('store.well', { afterMs: Math.round(now - this.#since) })
  }
}
