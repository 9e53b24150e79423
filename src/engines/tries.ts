import { setTimeout as delay } from 'node:timers/promises'
import { StoreError } from '../core/errors.ts'
import { growingPauseMs } from '../core/growing-pause.ts'
import { Trouble } from '../core/trouble.ts'

/** Tries what one store is asked for until it does it: where it fails, why is told once, and it is asked again after a pause that grows from 100 ms to 5 s. */
export class Tries {
  readonly #stopping: AbortSignal
  readonly #trouble = new Trouble()

  /** `stopping`: from when on nothing is tried again. */
  constructor(stopping: AbortSignal) {
    this.#stopping = stopping
  }

  /** `work` may be done twice: who fails may have done it, and only its answer is lost. @throws what is no failure of the store; after a stop, that one too. */
  async untilDone<T>(work: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures++) {
      try {
        const answer = await work()
        this.#trouble.worked()
        return answer
      } catch (error) {
        if (!(error instanceof StoreError) || this.#stopping.aborted) throw error
        this.#trouble.failed(error)
        await this.#pause(growingPauseMs(failures))
      }
    }
  }

  /** Shorter where it is told to stop. */
  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopping }).catch(() => undefined)
  }
}
