import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Consumer } from '../engine.ts'
import { Known } from '../known.ts'
import { LookAgain } from '../look-again.ts'
import type { Rounds } from '../rounds.ts'
import { batchSize } from './claim.ts'
import type { Transaction } from './connection.ts'
import { LogLength, logBytes } from './log-length.ts'
import { beat, beatEveryMs } from './machine.ts'
import { waitYielding } from './patience.ts'
import { countSettled, isAnyExpired, purge, trim } from './retention.ts'
import type { Sql } from './sql.ts'
import type { Store } from './store.ts'
import { type Position, readUnparkable, start } from './unpark.ts'

export interface MaintenanceOptions {
  readonly store: Store
  readonly now: () => number
  /** Most settled tasks that are kept. */
  readonly keptTasks: number
  readonly consumer: Pick<Consumer, 'names' | 'keys'>
  /** Told when the store could be written. */
  readonly onWrite: () => void
  /** Given parked tasks that this worker can run, to be put back when it takes them. */
  readonly onRunnable: (seqs: readonly number[]) => void
}

/** Beyond this, the write-ahead log is emptied at all events: usual checkpoints have not kept up with its writers. */
const longestLog = 64 * 1024 * 1024

/** What a consuming worker does beside consuming, in short transactions with a turn of the loop between them. */
export class Maintenance {
  readonly #options: MaintenanceOptions
  readonly #rounds: Rounds
  readonly #logLength: LogLength
  #known = new Known()
  readonly #again: LookAgain

  constructor(options: MaintenanceOptions, rounds: Rounds) {
    this.#options = options
    this.#rounds = rounds
    this.#logLength = new LogLength(options.store.file)
    rounds.every(beatEveryMs, () => this.#beat())
    rounds.every(1_000, () => this.#deleteExpired())
    rounds.every(1_000, () => this.#deleteSurplus())
    rounds.every(1_000, () => this.#emptyLog())
    this.#again = new LookAgain(rounds.every(1_000, () => this.#lookForKnown()))
  }

  /** To be told when there is room, and nothing that waits. */
  idle(): void {
    this.#again.idle()
  }

  /** At once when the worker learns a name or a key, and now and then for what older workers have parked. */
  async #lookForKnown(): Promise<void> {
    const isNew = new Known(this.#options.consumer).isMoreThan(this.#known)
    if (isNew || this.#again.isDue) await this.findRunnable()
  }

  /** Finds some of the tasks that were parked because a worker lacked their name or key, where this one has them: as many as a claim may take. */
  async findRunnable(): Promise<void> {
    const { consumer, onRunnable } = this.#options
    const known = new Known(consumer)
    if (known.isNothing) return
    const started = performance.now()
    const seqs = await this.#runnable(known, batchSize)
    this.#known = known
    this.#again.looked(seqs, performance.now() - started)
    if (seqs.length > 0) onRunnable(seqs)
  }

  async #runnable(known: Known, most: number): Promise<readonly number[]> {
    const seqs: number[] = []
    let from: Position | undefined = start
    while (from !== undefined && seqs.length < most && !this.#rounds.isStopped) {
      const position: Position = from
      const slice = await this.#read((sql) => readUnparkable(sql, known, position))
      seqs.push(...slice.seqs)
      from = slice.next
      await nextTurn()
    }
    return seqs.slice(0, most)
  }

  async #beat(): Promise<void> {
    const { store, now, onWrite } = this.#options
    await this.#write(({ sql }) => beat(sql, store.file, now()))
    onWrite()
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
