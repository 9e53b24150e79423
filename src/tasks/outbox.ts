import type { Scope } from '../core/context.ts'
import { asError, codeOf, StoreError } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import type { EnqueueAnswer } from '../engines/engine.ts'
import type { StagedMessage, TaskMessage } from './message.ts'

/** How messages get to the store: `sealAll` is the seal's, `enqueue` the engine's. */
export interface Way {
  sealAll(batch: readonly StagedMessage[]): readonly TaskMessage[]
  enqueue(batch: readonly TaskMessage[]): Promise<readonly EnqueueAnswer[]>
}

/**
 * Takes what scopes have collected to the store. One write is in flight at a time; what is released meanwhile gathers and goes as
 * the next batch, so concurrent requests share commits. Each release is answered for its own messages.
 */
export class Outbox {
  readonly #way: Way
  #gathered: Release[] = []
  /** Letters of text that wait, not those in flight. */
  #waiting = 0
  #writing = false

  constructor(way: Way) {
    this.#way = way
  }

  /** Stores what the scope has staged; from here on it is released. @throws StoreError when not all of it is known to be stored. */
  release(scope: Scope): Promise<void> {
    return this.store(takeStaged(scope))
  }

  /** Stores messages now, in one batch with what others release. @throws StoreError as above, `STORE_BUSY` when too much waits already. */
  store(messages: readonly StagedMessage[]): Promise<void> {
    if (messages.length === 0) return Promise.resolve()
    if (this.#waiting > mostWaiting) return Promise.reject(overfull())
    this.#waiting += lettersOf(messages)
    return new Promise((resolve, reject) => {
      this.#gathered.push({ messages, resolve, reject })
      if (this.#writing) return
      this.#writing = true
      // After the requests of this turn of the loop: those that end together are written together.
      setImmediate(() => void this.#writeAll())
    })
  }

  /** Resolves when nothing waits to be stored any more. */
  async idle(): Promise<void> {
    while (this.#writing) await new Promise((resolve) => setImmediate(resolve))
  }

  async #writeAll(): Promise<void> {
    while (this.#gathered.length > 0) {
      const releases = this.#gathered
      this.#gathered = []
      this.#waiting = 0
      await this.#write(releases)
    }
    this.#writing = false
  }

  async #write(releases: readonly Release[]): Promise<void> {
    const started = performance.now()
    const batch = releases.flatMap((release) => release.messages)
    const answers = await this.#answersFor(batch)
    const stored = answers.filter((answer) => answer.stored).length
    if (stored > 0) emit('task.stored', { count: stored, ms: performance.now() - started })
    reportFailures(answers)
    answerReleases(releases, answers)
  }

  /** One answer per message, whatever the store does. */
  async #answersFor(batch: readonly StagedMessage[]): Promise<readonly EnqueueAnswer[]> {
    try {
      const answers = await this.#way.enqueue(this.#way.sealAll(batch))
      return batch.map((_, index) => answers[index] ?? { stored: false, error: silent() })
    } catch (thrown) {
      const error = asError(thrown)
      return batch.map(() => ({ stored: false, error }))
    }
  }
}

/** Letters that may wait for the store (64 Mi): beyond it the store is too slow for the load, and memory must not pay for that. */
const mostWaiting = 67_108_864

function lettersOf(messages: readonly StagedMessage[]): number {
  return messages.reduce((sum, { args, contextText }) => sum + args.length + contextText.length + 200, 0)
}

function overfull(): StoreError {
  return new StoreError(
    'STORE_BUSY',
    'The task store is too slow for the load: 64 MiB of tasks wait for it already',
  )
}

function silent(): StoreError {
  return new StoreError('STORE_SILENT', 'The task store did not answer for every task')
}

interface Release {
  readonly messages: readonly StagedMessage[]
  resolve(): void
  reject(error: Error): void
}

function reportFailures(answers: readonly EnqueueAnswer[]): void {
  const errors = answers.flatMap((answer) => (answer.stored ? [] : [answer.error]))
  const [error] = errors
  if (error !== undefined) emit('task.store_failed', { count: errors.length, code: codeOf(error), error })
}

function answerReleases(releases: readonly Release[], answers: readonly EnqueueAnswer[]): void {
  let index = 0
  for (const release of releases) {
    const own = answers.slice(index, index + release.messages.length)
    index += release.messages.length
    const failed = own.find((answer) => !answer.stored)
    if (failed === undefined || failed.stored) release.resolve()
    else release.reject(storeError(failed.error))
  }
}

function storeError(error: Error): StoreError {
  if (error instanceof StoreError) return error
  return new StoreError('STORE_FAILED', `The task store failed: ${error.message}`, { cause: error })
}

/** Ends an open scope as released and gives what it has staged. A scope ends once: for one that has ended there is nothing to take. */
export function takeStaged(scope: Scope): readonly StagedMessage[] {
  if (scope.state !== 'open') return []
  scope.state = 'released'
  return staged(scope)
}

/** Ends an open scope as dropped: what it has staged is never stored. */
export function dropScope(scope: Scope, callId?: string, userId?: string): void {
  if (scope.state !== 'open') return
  scope.state = 'dropped'
  const dropped = staged(scope)
  if (dropped.length > 0) {
    emit('scope.dropped', { callId, userId, tasks: dropped.map((message) => message.name) })
  }
}

function staged(scope: Scope): readonly StagedMessage[] {
  // Only fire() stages, and it stages messages.
  return scope.staged.splice(0) as StagedMessage[]
}
