import type { ActionAnswer } from '../engine.ts'
import { type Action, cancel, remove, retry } from './actions.ts'
import type { Transaction } from './connection.ts'
import { enqueue, type Fields, type Refusal } from './enqueue.ts'
import { beat } from './machine.ts'
import type { busy } from './patience.ts'
import { type Purge, purge } from './retention.ts'
import type { Store } from './store.ts'

/** What the writing connection is asked to do: one name, one input, one transaction. */
export interface Requests {
  enqueue: { input: { readonly fields: Fields; readonly now: number }; output: readonly Refusal[] }
  cancel: { input: Action; output: ActionAnswer }
  retry: { input: Action; output: ActionAnswer }
  remove: { input: Action; output: ActionAnswer }
  /** One slice; answers how many tasks were deleted. */
  purge: { input: Purge; output: number }
  /** A sign of life, which proves as well that the store can be written. */
  beat: { input: { readonly now: number }; output: undefined }
}

export type Verb = keyof Requests
export type Input<V extends Verb> = Requests[V]['input']
export type Output<V extends Verb> = Requests[V]['output']

/** `full`: what callers were told is stored survives a power cut. `normal`: it survives the death of every process. */
export type Sync = 'full' | 'normal'

/** Does what is asked in one try, without a flush. */
export function perform<V extends Verb>(
  store: Store,
  request: { readonly verb: V; readonly input: Input<V> },
): Output<V> | typeof busy {
  const { work } = verbs[request.verb]
  return store.tryWrite((transaction) => work(transaction, request.input, store.file), false)
}

/** Whether someone is told that it has been done, and will rely on it. */
export function isPromise(verb: Verb): boolean {
  return verbs[verb].isPromise
}

/** Whether workers may find something to do after it. */
export function wakes(verb: Verb): boolean {
  return verbs[verb].wakes
}

interface Performance<V extends Verb> {
  readonly work: (transaction: Transaction, input: Input<V>, file: string) => Output<V>
  readonly isPromise: boolean
  readonly wakes: boolean
}

const verbs: { readonly [V in Verb]: Performance<V> } = {
  enqueue: {
    work: (transaction, { fields, now }) => enqueue(transaction, fields, now),
    isPromise: true,
    wakes: true,
  },
  cancel: { work: cancel, isPromise: true, wakes: false },
  retry: { work: retry, isPromise: true, wakes: true },
  remove: { work: remove, isPromise: true, wakes: false },
  purge: { work: purge, isPromise: false, wakes: false },
  beat: { work: ({ sql }, { now }, file) => beat(sql, file, now), isPromise: false, wakes: false },
}
