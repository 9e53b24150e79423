import type { StoreError } from '../../core/errors.ts'
import type { Outcome } from '../engine.ts'
import { errorText } from './columns.ts'
import { bytesOf } from './enqueue.ts'
import type { Store } from './store.ts'

/** In bytes; what is no larger goes into the room that is kept for it. */
const smallBytes = 256

export interface Divided<T> {
  readonly fitting: readonly T[]
  readonly left: readonly T[]
  /** Why some are left. */
  readonly lacking: StoreError | undefined
}

/**
 * What of that which has ended fits onto the disk; the rest has to wait. Results, errors and the tasks that a task has fired can be as large as what requests fire,
 * and would use up the room that claims and deletions need.
 */
export function divideByRoom<T extends Ended>(store: Place, ended: readonly T[]): Divided<T> {
  const fitting: T[] = []
  const left: T[] = []
  let bytes = 0
  let tooLarge = Number.POSITIVE_INFINITY
  for (const one of ended) {
    const size = bytesOfOutcome(one.ended.outcome)
    if (size <= smallBytes) fitting.push(one)
    else if (size < tooLarge && hasRoom(store, bytes + size)) {
      bytes += size
      fitting.push(one)
    } else {
      tooLarge = Math.min(tooLarge, size)
      left.push(one)
    }
  }
  if (bytes > 0) store.room.take(bytes)
  return { fitting, left, lacking: left.length > 0 ? store.room.lacking(tooLarge, 'outcome') : undefined }
}

interface Ended {
  readonly ended: { readonly outcome: Outcome }
}

type Place = Pick<Store, 'room' | 'emptyLog'>

function hasRoom(store: Place, bytes: number): boolean {
  if (store.room.fits(bytes, 'outcome')) return true
  store.emptyLog()
  return store.room.fits(bytes, 'outcome')
}

/** About how many bytes an outcome takes. */
function bytesOfOutcome(outcome: Outcome): number {
  if (outcome.kind === 'done') return Buffer.byteLength(outcome.result) + bytesOf(outcome.children)
  return outcome.kind === 'returned' ? 0 : errorText(outcome.error).length
}
