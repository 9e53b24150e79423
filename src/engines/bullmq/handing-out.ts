import type { IQueueBackend } from 'bullmq'
import { emit } from '../../core/events.ts'
import type { Trouble } from '../../core/trouble.ts'
import type { Consumer, Lease, Outcome } from '../engine.ts'
import { type Held, type Holding, leaseOf } from './held.ts'
import { replicated } from './replicas.ts'
import type { Store } from './store.ts'
import { type Fate, fateOf, intendedFate, type Taken } from './taking.ts'

export interface HandingOutOptions {
  readonly owner: string
  readonly store: Store
  /** BullMQ's worker: takes jobs with our terms, and waits for them on a connection of its own. */
  readonly queue: IQueueBackend
  readonly holding: Holding
  readonly consumer: Consumer
  readonly trouble: Trouble
  /** Records what becomes of a task that is not to be run. */
  settle(held: Held, outcome: Outcome): void
}

/** How long what must not start twice waits for replicas that are missing. */
const holdOffMs = 5_000

/** Hands what was taken to the consumer, if it is to be run. */
export class HandingOut {
  readonly #options: HandingOutOptions

  constructor(options: HandingOutOptions) {
    this.#options = options
  }

  /** What must not start twice only once replicas know that it was taken, where they are asked for: nothing else waits for that. */
  async handOut(taken: readonly Taken[]): Promise<void> {
    const isAsked = this.#options.store.replicas > 0
    const waiting = taken.filter(({ held }) => isAsked && held.message.atMostOnce)
    await this.#handOutNow(waiting.length === 0 ? taken : taken.filter((one) => !waiting.includes(one)))
    if (waiting.length === 0) return
    if (await this.#isReplicated()) await this.#handOutNow(waiting)
    else await Promise.all(waiting.map(({ held }) => this.#holdOff(held)))
  }

  async #isReplicated(): Promise<boolean> {
    try {
      await replicated(this.#options.store)
      return true
    } catch (error) {
      this.#options.trouble.failed(error)
      return false
    }
  }

  /** It would be the next in line again at once, and keep all others waiting. */
  async #holdOff(held: Held): Promise<void> {
    const { store, queue, holding, settle } = this.#options
    const { message, token } = held
    try {
      await store.link.use(() =>
        queue.moveToDelayed(message.id, store.now(), holdOffMs, token, { skipAttempt: true }),
      )
      holding.remove(token)
    } catch {
      settle(held, { kind: 'returned' })
    }
  }

  /** What isn't to be run gets its outcome at once; a suspect that finds no room goes into the line of those. */
  async #handOutNow(taken: readonly Taken[]): Promise<void> {
    const { consumer, owner, settle, store } = this.#options
    const leases: Lease[] = []
    let room = consumer.slots().alone
    for (const one of taken) {
      const fate = fateOf(store, one) ?? (await this.#intendedFate(one))
      if (fate === 'ordinary') leases.push(leaseOf(one.held, false))
      else if (fate !== 'alone') settle(one.held, fate)
      else if (room-- > 0) leases.push(leaseOf(this.#asSuspect(one.held), true))
      else settle(this.#asSuspect(one.held), { kind: 'returned' })
    }
    if (leases.length === 0) return
    emit('task.claimed', { count: leases.length, owner })
    consumer.run(leases)
  }

  /** Where Redis doesn't say, the task goes back. */
  async #intendedFate(taken: Taken): Promise<Fate> {
    try {
      return await intendedFate(this.#options.store, taken)
    } catch (error) {
      this.#options.trouble.failed(error)
      return { kind: 'returned' }
    }
  }

  #asSuspect(held: Held): Held {
    const suspect: Held = { ...held, ledger: { ...held.ledger, suspect: true } }
    this.#options.holding.add(suspect)
    return suspect
  }
}
