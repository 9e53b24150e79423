import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Trouble } from '../../core/trouble.ts'
import type { Consumer } from '../engine.ts'
import { Known } from '../known.ts'
import type { Rounds } from '../rounds.ts'
import type { Transaction } from './connection.ts'
import { LogLength, logBytes } from './log-length.ts'
import { beat, beatEveryMs } from './machine.ts'
import { waitYielding } from './patience.ts'
import { countSettled, isAnyExpired, purge, trim } from './retention.ts'
import type { Sql } from './sql.ts'
import type { Store } from './store.ts'
import { type Position, readUnparkable, start, unpark } from './unpark.ts'

export interface MaintenanceOptions {
  readonly store: Store
  readonly now: () => number
  /** Most settled tasks that are kept. */
  readonly keptTasks: number
  readonly consumer: Pick<Consumer, 'names' | 'keys'>
  readonly trouble: Trouble
  /** Told when tasks were put back into the queue. */
  readonly onReturned: () => void
}

/** Beyond this, the write-ahead log is emptied at all events: usual checkpoints have not kept up with its writers. */
const longestLog = 64 * 1024 * 1024
const unparkEveryMs = 5_000
/** How long is rested after a look, by how long it took: it goes over all that are parked. */
const restPerLook = 20

/** What a consuming worker does beside consuming, in short transactions with a turn of the loop between them. */
export class Maintenance {
  readonly #options: MaintenanceOptions
  readonly #rounds: Rounds
  readonly #logLength: LogLength
  #known = new Known()
  #unparkAt = 0

  constructor(options: MaintenanceOptions, rounds: Rounds) {
    this.#options = options
    this.#rounds = rounds
    this.#logLength = new LogLength(options.store.file)
    rounds.every(beatEveryMs, () => this.#beat())
    rounds.every(1_000, () => this.#deleteExpired())
    rounds.every(1_000, () => this.#deleteSurplus())
    rounds.every(1_000, () => this.#emptyLog())
    rounds.every(1_000, () => this.#lookForKnown())
  }

  /** At once when the worker learns a name or a key, and now and then for what older workers have parked. */
  async #lookForKnown(): Promise<void> {
    const isNew = new Known(this.#options.consumer).isMoreThan(this.#known)
    if (isNew || performance.now() > this.#unparkAt) await this.unparkKnown()
  }

  /**
   * Puts back the tasks that were parked because a worker lacked their name or key, where this one has them. After a look that found some the next comes at the next beat, unless
   * it took long: idle older workers may have taken those again.
   */
  async unparkKnown(): Promise<void> {
    const { consumer, onReturned } = this.#options
    const known = new Known(consumer)
    this.#known = known
    const started = performance.now()
    this.#unparkAt = started + unparkEveryMs
    let isAnyFound = false
    let from: Position | undefined = start
    while (from !== undefined && !this.#rounds.isStopped) {
      const position: Position = from
      const slice = await this.#read((sql) => readUnparkable(sql, known, position))
      if (slice.seqs.length > 0) {
        isAnyFound = true
        await this.#write((transaction) => unpark(transaction, slice.seqs))
        onReturned()
      }
      from = slice.next
      await nextTurn()
    }
    if (isAnyFound)
      this.#unparkAt = Math.min(
        this.#unparkAt,
        performance.now() + restPerLook * (performance.now() - started),
      )
  }

  async #beat(): Promise<void> {
    const { store, now, trouble } = this.#options
    await this.#write(({ sql }) => beat(sql, store.file, now()))
    trouble.worked()
  }

  async #deleteExpired(): Promise<void> {
    const expiredAt = this.#options.now()
    while (!this.#rounds.isStopped && (await this.#read((sql) => isAnyExpired(sql, expiredAt)))) {
      await this.#write((transaction) => purge(transaction, { expiredAt }))
      await nextTurn()
    }
  }

  async #deleteSurplus(): Promise<void> {
    const { keptTasks } = this.#options
    while (!this.#rounds.isStopped && (await this.#read(countSettled)) > keptTasks) {
      await this.#write((transaction) => trim(transaction, countSettled(transaction.sql) - keptTasks))
      await nextTurn()
    }
  }

  /** A busy log stays as it is; the next round tries again. */
  async #emptyLog(): Promise<void> {
    const { store } = this.#options
    if (logBytes(store.file) > longestLog) store.emptyLog()
    this.#logLength.look()
  }

  #read<T>(work: (sql: Sql) => T): Promise<T> {
    const { store } = this.#options
    return waitYielding(() => store.tryRead(work), store.file)
  }

  #write<T>(work: (transaction: Transaction) => T): Promise<T> {
    const { store } = this.#options
    return waitYielding(() => store.tryWrite(work, false), store.file)
  }
}
