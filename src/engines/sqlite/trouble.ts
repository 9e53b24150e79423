import { asError, codeOf } from '../../core/errors.ts'
import { emit } from '../../core/events.ts'

/** Tells once when the store begins to fail for a worker, and once when it is well again. */
export class Trouble {
  #since: number | undefined

  failed(thrown: unknown): void {
    if (this.#since !== undefined) return
    this.#since = performance.now()
    const error = asError(thrown)
    emit('store.trouble', { code: codeOf(error) ?? error.name, message: error.message })
  }

  worked(): void {
    if (this.#since === undefined) return
    emit('store.well', { afterMs: Math.round(performance.now() - this.#since) })
    this.#since = undefined
  }
}
