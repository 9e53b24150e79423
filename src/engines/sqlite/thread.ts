import { parentPort, workerData } from 'node:worker_threads'
import { asError, codeOf } from '../../core/errors.ts'
import { type Events, on } from '../../core/events.ts'
import { beatEveryMs } from './machine.ts'
import { waitHere } from './patience.ts'
import { announce, type Input, perform, type Sync, type Verb } from './requests.ts'
import { Store, type StoreOptions } from './store.ts'

/**
 * What the writer's thread runs: it owns the connection, does one request after another and waits for locks and disks so that the loop
 * that serves need not. Events go to that loop, where the listeners are.
 */
export interface ThreadOptions extends Omit<StoreOptions, 'now'> {
  readonly sync: Sync
  /** How far the clock of the opening process is ahead of the system's, in ms. */
  readonly clockOffset: number
}

export type Answer =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly fault: { readonly code: string; readonly message: string } }
  | { readonly event: 'notice'; readonly detail: Events['notice'] }
  | { readonly event: 'store.taken_over'; readonly detail: Events['store.taken_over'] }

/** Undefined: to end. */
type Question = { readonly id: number; readonly verb: Verb; readonly input: Input<Verb> } | undefined

function serve(): void {
  // ThreadWriter is the only one that starts this file, with these.
  const options = workerData as ThreadOptions
  const now = () => Date.now() + options.clockOffset
  const store = new Store({ ...options, now })
  on('notice', (detail) => tell({ event: 'notice', detail }))
  on('store.taken_over', (detail) => tell({ event: 'store.taken_over', detail }))
  const beating = setInterval(() => beat(store, options.sync, now()), beatEveryMs)
  parentPort?.on('message', (question: Question) => {
    if (question !== undefined) return answer(question, store, options.sync)
    clearInterval(beating)
    store.close()
    parentPort?.close()
  })
}

function answer(question: NonNullable<Question>, store: Store, sync: Sync): void {
  tell(answerTo(question, store, sync))
  announce(store, question.verb)
}

function answerTo({ id, verb, input }: NonNullable<Question>, store: Store, sync: Sync): Answer {
  try {
    return { id, output: waitHere(() => perform(store, sync, { verb, input }), store.file) }
  } catch (error) {
    return { id, fault: { code: codeOf(error) ?? 'STORE_FAILED', message: asError(error).message } }
  }
}

/** A beat that fails says nothing: the next request meets the same failure and tells its caller. */
function beat(store: Store, sync: Sync, now: number): void {
  try {
    perform(store, sync, { verb: 'beat', input: { now } })
  } catch {}
}

function tell(answer: Answer): void {
  parentPort?.postMessage(answer)
}

serve()
