import { emit } from '../../core/events.ts'
import type { Consumer } from '../engine.ts'
import { giveBack, reportParked } from './give-back.ts'
import { isForwarder, markStuck, type Owner, readOwners } from './owners.ts'
import { waitYielding } from './patience.ts'
import type { Site } from './site.ts'
import type { Store } from './store.ts'

export interface RecoveryOptions {
  readonly store: Store
  readonly site: Site
  readonly sweep: Consumer['sweep']
  readonly now: () => number
}

/**
 * Finds workers of this machine that have died (the kernel has freed their lock) and gives their tasks back, once all they left running
 * has ended.
 */
export class Recovery {
  readonly #options: RecoveryOptions
  readonly #underWay = new Set<string>()

  constructor(options: RecoveryOptions) {
    this.#options = options
  }

  /** Looks once. Resolves with how many tasks are back in the queue. */
  async look(): Promise<number> {
    const dead = (await this.#known()).filter(({ id }) => !this.#underWay.has(id) && this.#isDead(id))
    const returned = await Promise.all(dead.map((owner) => this.#recover(owner)))
    return returned.reduce((sum, tasks) => sum + tasks, 0)
  }

  /** Owners in the store, and (as number 0) workers that have died before they were written there. */
  async #known(): Promise<readonly Owner[]> {
    const { store, site } = this.#options
    const owners = await waitYielding(() => store.tryRead(readOwners), store.file)
    const ids = new Set(owners.map(({ id }) => id))
    const others = site.owners().filter((id) => !ids.has(id))
    return [...owners, ...others.map((id) => ({ number: 0, id }))]
  }

  #isDead(id: string): boolean {
    return !this.#options.site.isAlive(id)
  }

  async #recover(owner: Owner): Promise<number> {
    this.#underWay.add(owner.id)
    try {
      const isSwept = await this.#options.sweep(owner.id).catch(() => false)
      return isSwept ? await this.#giveBack(owner) : await this.#leave(owner)
    } finally {
      this.#underWay.delete(owner.id)
    }
  }

  async #giveBack(owner: Owner): Promise<number> {
    const { store, now, site } = this.#options
    const at = { now: now(), died: !isForwarder(owner) }
    const given = await waitYielding(
      () => store.tryWrite((transaction) => giveBack(transaction, owner, at), false),
      store.file,
    )
    site.removeTraces(owner.id)
    if (given === undefined) return 0
    emit('owner.recovered', { owner: owner.id, tasks: given.tasks })
    reportParked(given.parked)
    return given.tasks
  }

  /** Something of it still runs: what it holds stays its own, health says so, and the next look tries again. */
  async #leave(owner: Owner): Promise<number> {
    const { store, now } = this.#options
    const since = now()
    await waitYielding(
      () => store.tryWrite((transaction) => markStuck(transaction, owner, since), false),
      store.file,
    )
    return 0
  }
}
