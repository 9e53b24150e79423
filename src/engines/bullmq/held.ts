import { BoxedMap } from '../../core/boxed-map.ts'
import type { TaskMessage } from '../../tasks/message.ts'
import type { Lease } from '../engine.ts'
import type { Ledger } from './job.ts'

/** How long a lock lasts, and how often it is renewed: a worker that can't reach Redis for 20 s loses nothing. */
export const lockMs = 30_000
export const renewEveryMs = 5_000

/** A task that this worker holds. */
export interface Held {
  /** Of the lease, and in the job's lock. */
  readonly token: string
  /** Of the claim: a later one has a higher. */
  readonly number: number
  readonly message: TaskMessage
  /** Its bookkeeping as it was claimed. */
  readonly ledger: Ledger
  /** BullMQ's counts of moves and of starts as it was claimed. */
  readonly moves: number
  readonly starts: number
  /** How many workers lost it before. */
  readonly losses: number
}

/** All that this worker holds, by token. */
export class Holding {
  readonly #owner: string
  readonly #held = new BoxedMap<string, Held>()
  /** What has run, and whose outcome could not be recorded: its leases run out. */
  readonly #abandoned = new Set<string>()
  /** What is being claimed now: whether it was, only its answer says. */
  readonly #asked = new Set<string>()
  #count = 0

  constructor(owner: string) {
    this.#owner = owner
  }

  /** A token for one claim, and its number. */
  ask(): { readonly token: string; readonly number: number } {
    const number = ++this.#count
    const token = `${this.#owner}/${number}`
    this.#asked.add(token)
    return { token, number }
  }

  /** The claim was answered, or never will be. */
  answered(token: string): void {
    this.#asked.delete(token)
  }

  add(held: Held): void {
    this.#held.set(held.token, held)
  }

  get(token: string): Held | undefined {
    return this.#held.get(token)
  }

  remove(token: string): void {
    this.#held.delete(token)
  }

  /** Its lease is renewed no more, and whoever finds that it has run out counts that: it may have run. */
  abandon(token: string): void {
    this.#held.delete(token)
    this.#abandoned.add(token)
  }

  all(): readonly Held[] {
    return [...this.#held.values()]
  }

  /** Whether a lock with this token is of a claim of this worker that it knows nothing of any more. */
  isStray(token: string): boolean {
    if (!token.startsWith(`${this.#owner}/`)) return false
    return !this.#held.has(token) && !this.#asked.has(token) && !this.#abandoned.has(token)
  }
}

export function leaseOf({ token, message, ledger }: Held, suspect: boolean): Lease {
  const { attempts, failures, crashes } = ledger
  return { token, message, attempt: attempts + 1, failures, crashes, suspect }
}
