import { asError, codeOf } from './errors.ts'
import { emit } from './events.ts'

/** Tells once for each reason why the store fails for this process, and once when it is well again. */
export class Trouble {
  readonly #told = new Set<string>()
  #since = 0

  failed(thrown: unknown): void {
    const error = asError(thrown)
    const code = codeOf(error) ?? error.name
    if (this.#told.has(code)) return
    if (this.#told.size === 0) this.#since = performance.now()
    this.#told.add(code)
    emit('store.trouble', { code, message: error.message })
  }

  worked(): void {
    if (this.#told.size === 0) return
    this.#told.clear()
    emit('store.well', { afterMs: Math.round(performance.now() - this.#since) })
  }
}
