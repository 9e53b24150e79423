import { StoreError } from '../core/errors.ts'
import { growingPauseMs } from '../core/growing-pause.ts'
import { type Stoppable, stopAll } from '../core/lifecycle.ts'
import { Trouble } from '../core/trouble.ts'
import type { Engine } from '../engines/engine.ts'
import { ChildError, unavailableExitCode } from '../supervisor/child-end.ts'
import type { Worker } from './worker.ts'

export interface PatientOptions {
  /** Opens the store. @throws StoreError where that is not possible now. */
  open(): Promise<Engine>
  /** Starts the worker on it. */
  start(engine: Engine): Promise<Worker>
}

export interface PatientWorker extends Stoppable {
  /** Ends the executors at once. */
  kill(): Promise<void>
}

/**
 * A worker that starts when its store lets it. Resolves when it works, or waits for its store, which it then tries to open again and again, after a pause
 * of 100 ms that doubles up to 5 s. The log says once why it waits.
 * @throws what keeps the first try from succeeding, unless the store is at fault: mistakes in the service's files, executors that can't start.
 */
export async function startWorkerPatiently(options: PatientOptions): Promise<PatientWorker> {
  const worker = new Patience(options)
  await worker.begin()
  return worker
}

class Patience implements PatientWorker {
  readonly #options: PatientOptions
  readonly #trouble = new Trouble()
  #working: { readonly engine: Engine; readonly worker: Worker } | undefined
  #trying: Promise<void> = Promise.resolve()
  #failures = 0
  #pause: NodeJS.Timeout | undefined
  #over = false

  constructor(options: PatientOptions) {
    this.#options = options
  }

  async begin(): Promise<void> {
    try {
      await this.#start()
    } catch (error) {
      if (!isStoreAtFault(error)) throw error
      this.#tryLater(error)
    }
  }

  /** What a try under way has started is stopped too. */
  async stop(): Promise<void> {
    this.#over = true
    clearTimeout(this.#pause)
    await this.#trying
    if (this.#working === undefined) return
    const { engine, worker } = this.#working
    await stopAll([{ stop: () => engine.close() }, worker])
  }

  async kill(): Promise<void> {
    await this.#working?.worker.kill()
  }

  /** Beyond the first try, which `begin` answers for, every failure is tried again: the service is up, and would not end for a worker either. */
  async #tryAgain(): Promise<void> {
    try {
      await this.#start()
      this.#trouble.worked()
    } catch (error) {
      this.#tryLater(error)
    }
  }

  #tryLater(error: unknown): void {
    if (this.#over) return
    this.#trouble.failed(error)
    this.#failures++
    this.#pause = setTimeout(() => {
      this.#trying = this.#tryAgain()
    }, growingPauseMs(this.#failures))
  }

  async #start(): Promise<void> {
    const engine = await this.#options.open()
    try {
      this.#working = { engine, worker: await this.#options.start(engine) }
    } catch (error) {
      await engine.close()
      throw error
    }
  }
}

function isStoreAtFault(error: unknown): boolean {
  if (error instanceof ChildError) return error.exitCode === unavailableExitCode
  return error instanceof StoreError
}
