import { emit, on } from '../core/events.ts'
import type { Engine, TaskRecord } from '../engines/engine.ts'
import { monotonicMs } from './clock.ts'
import type { ExecutorHandle } from './executor-handle.ts'

export interface ParkedReportsOptions {
  readonly engine: Pick<Engine, 'find'>
  /** The executors as they are now. */
  executors(): Iterable<ExecutorHandle>
}

/**
 * Has the service told of tasks that were parked without an executor's doing (`poison`, `lost`): the worker runs no user code, so an executor that lives
 * gets the message, opens its context and tells the reporter. Once at most for each task, nobody waits for it, and at most so many are kept until an
 * executor is there.
 */
export class ParkedReports {
  readonly #options: ParkedReportsOptions
  readonly #waiting: TaskRecord[] = []
  readonly #forget: () => void
  /** Being looked up. */
  #looking = 0
  #full = false
  #again: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: ParkedReportsOptions) {
    this.#options = options
    this.#forget = on('task.parked', ({ taskId, reason }) => {
      if (reason === 'poison' || reason === 'lost') void this.#add(taskId)
    })
  }

  stop(): void {
    this.#stopped = true
    this.#forget()
    clearTimeout(this.#again)
  }

  async #add(taskId: string): Promise<void> {
    if (!this.#hasRoom()) return
    this.#looking++
    // What can't be read is in the log, and parked all the same.
    const record = await this.#options.engine.find(taskId).catch(() => undefined)
    this.#looking--
    if (record?.state !== 'parked') return
    this.#waiting.push(record)
    this.#handOut()
  }

  #hasRoom(): boolean {
    const hasRoom = this.#waiting.length + this.#looking < mostWaiting
    if (!hasRoom && !this.#full) emit('notice', { message: tooMany })
    this.#full = !hasRoom
    return hasRoom
  }

  #handOut(): void {
    if (this.#stopped) return
    const executor = this.#choose()
    if (executor === undefined) {
      this.#again ??= setTimeout(() => this.#tryAgain(), againMs).unref()
      return
    }
    for (const { message, attempts, error } of this.#waiting.splice(0)) {
      executor.reportParked({ message, attempt: attempts, error: error ?? { message: 'It was parked' } })
    }
  }

  #tryAgain(): void {
    this.#again = undefined
    this.#handOut()
  }

  /** One that runs a suspect may die with it. */
  #choose(): ExecutorHandle | undefined {
    const now = monotonicMs()
    for (const handle of this.#options.executors())
      if (!handle.alone && handle.isAvailable(now)) return handle
    return undefined
  }
}

/** Executors die before tasks are parked so, which takes time: more than a few only come together when a whole worker was lost. */
const mostWaiting = 100
const tooMany = `${mostWaiting} parked tasks wait to be reported to the service: further ones are only logged until then`
const againMs = 500
