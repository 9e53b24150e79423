import type { Scope } from '../core/context.ts'
import { asError, codeOf, StoreError } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import type { EnqueueAnswer } from '../engines/engine.ts'
import type { TaskMessage } from './message.ts'

/**
 * Takes what scopes have collected to the store. One write is in flight at a time; what is released meanwhile gathers and goes as
 * the next batch, so concurrent requests share commits. Each release is answered for its own messages.
 */
export class Outbox {
  readonly #enqueue: (batch: readonly TaskMessage[]) => Promise<readonly EnqueueAnswer[]>
  #gathered: Release[] = []
  #writing = false

  /** `enqueue` is the engine's. */
  constructor(enqueue: (batch: readonly TaskMessage[]) => Promise<readonly EnqueueAnswer[]>) {
    this.#enqueue = enqueue
  }

  /** Stores what the scope has staged; from here on it is released. @throws StoreError when not all of it is known to be stored. */
  async release(scope: Scope): Promise<void> {
    const messages = takeStaged(scope)
    if (messages.length > 0) await this.store(messages)
  }

  /** Stores messages now, in one batch with what others release. @throws StoreError as above, `STORE_BUSY` when too much waits already. */
  store(messages: readonly TaskMessage[]): Promise<void> {
    if (this.#gathered.length >= mostGathered) return Promise.reject(overfull())
    return new Promise((resolve, reject) => {
      this.#gathered.push({ messages, resolve, reject })
      if (this.#writing) return
      this.#writing = true
      // After the requests of this turn of the loop: those that end together are written together.
      setImmediate(() => void this.#writeAll())
    })
  }

  async #writeAll(): Promise<void> {
    while (this.#gathered.length > 0) {
      const releases = this.#gathered
      this.#gathered = []
      await this.#write(releases)
    }
    this.#writing = false
  }

  async #write(releases: readonly Release[]): Promise<void> {
    const started = performance.now()
    const batch = releases.flatMap((release) => release.messages)
    try {
      const answers = await this.#enqueue(batch)
      emit('task.stored', { count: batch.length, ms: performance.now() - started })
      answerReleases(releases, answers)
    } catch (thrown) {
      const error = asError(thrown)
      emit('task.store_failed', { count: batch.length, code: codeOf(error), error })
      for (const release of releases) release.reject(storeError(error))
    }
  }
}

/** Releases that may wait for the store: beyond it the store is too slow for the load, and memory must not pay for that. */
const mostGathered = 10_000

function overfull(): StoreError {
  return new StoreError(
    'STORE_BUSY',
    `The task store is too slow: ${mostGathered} requests wait for it already`,
  )
}

interface Release {
  readonly messages: readonly TaskMessage[]
  resolve(): void
  reject(error: Error): void
}

function answerReleases(releases: readonly Release[], answers: readonly EnqueueAnswer[]): void {
  let index = 0
  for (const release of releases) {
    const own = answers.slice(index, index + release.messages.length)
    index += release.messages.length
    const failed = own.find((answer) => !answer.stored)
    if (own.length < release.messages.length)
      release.reject(new StoreError('STORE_SILENT', 'The task store did not answer for every task'))
    else if (failed !== undefined && !failed.stored) release.reject(storeError(failed.error))
    else release.resolve()
  }
}

function storeError(error: Error): StoreError {
  if (error instanceof StoreError) return error
  return new StoreError('STORE_FAILED', `The task store failed: ${error.message}`, { cause: error })
}

/** Ends a scope as released and gives what it has staged. */
export function takeStaged(scope: Scope): readonly TaskMessage[] {
  scope.state = 'released'
  // Only fire() stages, and it stages messages.
  return scope.staged.splice(0) as TaskMessage[]
}

/** Ends a scope as dropped: what it has staged is never stored. */
export function dropScope(scope: Scope, callId?: string): void {
  scope.state = 'dropped'
  // As above.
  const dropped = scope.staged.splice(0) as TaskMessage[]
  if (dropped.length > 0) emit('scope.dropped', { callId, tasks: dropped.map((message) => message.name) })
}
