import { codeOf, type StoreError } from '../../core/errors.ts'
import { emit } from '../../core/events.ts'
import type { Extent, Transaction } from './connection.ts'
import { DiskRoom } from './disk-room.ts'
import { closed, damaged, isBusy, isDamage, replaced, storeError } from './failures.ts'
import { isWorthEmptying } from './log-length.ts'
import type { Machine } from './machine.ts'
import { isInMemory } from './memory.ts'
import { type Opened, openInMemory, openOnDisk, type StoreOptions } from './opened.ts'
import { busy, pause, retryEveryMs } from './patience.ts'
import { filesAt } from './place.ts'
import { type Site, siteOf } from './site.ts'
import type { Sql } from './sql.ts'
import { requireUser } from './user.ts'

/** Writes that follow each other by less than this are back to back; they go on for so long before they are interrupted. */
const gapMs = 1.5 * retryEveryMs
const longestRunMs = 3
/** For how long a log is left alone that others have kept from being emptied. */
const emptyAgainMs = 250

/**
 * The connection that writes, and mends itself: opened when first needed, dropped after a failure so that the next call opens anew, and
 * opened anew when its files were deleted or replaced. What was committed into files that are gone is done once more in the ones that
 * are there, so that an answer is always about the store that others see.
 */
export class Store {
  readonly file: string
  readonly room: DiskRoom
  readonly #options: StoreOptions
  readonly #damage: ReturnType<Site['damage']>
  #opened: Opened | undefined
  #closed = false
  #wasReplaced = false
  #changes = 0
  #committedAt = 0
  #unbrokenSince = 0
  #contendedUntil = 0
  #distrustsLog = false
  /** No sooner, on the monotonic clock. */
  #emptyAt = 0

  constructor(options: StoreOptions) {
    this.file = options.file
    this.room = new DiskRoom(options.file, () => this.#extent())
    this.#options = options
    this.#damage = siteOf(options.file).damage()
  }

  /**
   * Opens the store where it isn't; `silent` is another machine's entry that may be taken over although it is young.
   * @throws StoreError where it can't be opened; see failures.ts for the codes.
   */
  tryOpen(silent?: Machine): undefined | typeof busy {
    return this.#guarded(() => void this.#open(silent))
  }

  /** Runs `work` in one transaction; once more where the store's files were replaced. `durable`: survives a power cut. */
  tryWrite<T>(work: (transaction: Transaction) => T, durable: boolean): T | typeof busy {
    if (this.#distrustsLog && this.#guarded(() => this.#copyLog()) !== true) return busy
    if (this.#options.checkpointPages > 0 && !this.room.fits(0, 'task')) this.emptyLog()
    this.#giveWay()
    const answer = this.#guarded(() => this.#write(work, durable))
    if (answer === busy || this.#isInPlace()) return answer
    this.#drop()
    this.#wasReplaced = true
    emit('notice', {
      message: `${this.file} was deleted or replaced while in use; the one that is there now is used from here on`,
    })
    const second = this.#guarded(() => this.#write(work, durable))
    if (second === busy || this.#isInPlace()) return second
    throw replaced(this.file)
  }

  /** Resolves when all that was written survives a power cut; another thread waits for the disk. @throws StoreError */
  async flush(): Promise<void> {
    if (this.#opened === undefined) throw closed()
    try {
      await this.#opened.log.flush()
    } catch (error) {
      // Systems tell a failed flush once, and count as written what was lost.
      this.#distrustsLog = true
      this.#drop()
      throw storeError(error, this.file)
    }
  }

  tryRead<T>(work: (sql: Sql) => T): T | typeof busy {
    return this.#guarded(() => work(this.#open().connection.sql))
  }

  /** Why nothing may be added that others are to read, where the file that is there is known to be damaged. */
  damage(): StoreError | undefined {
    return this.#damage.isSet() ? damaged(this.file) : undefined
  }

  /** Grows whenever there may be something new for a worker. */
  changes(): number {
    const opened = this.#opened
    if (opened === undefined) return this.#changes
    const version = opened.connection.version()
    if (version !== opened.version) this.#changes++
    opened.version = version
    return this.#changes
  }

  /** Whether its files were deleted or replaced since the last call; the next call opens those that are there. */
  isReplaced(): boolean {
    const isReplaced = this.#wasReplaced || !this.#isInPlace()
    this.#wasReplaced = false
    if (isReplaced) this.#drop()
    return isReplaced
  }

  /** Tells workers that something was stored, the one on this connection too. */
  wake(): void {
    this.#changes++
    this.#opened?.bell.ring()
  }

  close(): void {
    this.#closed = true
    this.#drop()
  }

  /** Whether the log has room to give: others may be in the way for long, and the file may not be able to grow. */
  canEmptyLog(): boolean {
    return isWorthEmptying(this.file) && performance.now() >= this.#emptyAt && this.room.canCopyLog()
  }

  /** Copies what the log holds into the database file and cuts it short, for its room on the disk; where that can't be done now, nothing has changed. */
  emptyLog(): void {
    if (!this.canEmptyLog()) return
    try {
      this.#guarded(() => this.#copyLog())
    } catch {
      // Whoever writes next meets the same failure.
    }
    if (isWorthEmptying(this.file)) this.#emptyAt = performance.now() + emptyAgainMs
  }

  /** Copies what the log holds into the database file and begins the log anew; false while others use it. */
  #copyLog(): boolean {
    const [isBusy] = this.#open().connection.sql.first('PRAGMA wal_checkpoint(TRUNCATE)') ?? []
    if (isBusy !== 0) return false
    this.#distrustsLog = false
    return true
  }

  #write<T>(work: (transaction: Transaction) => T, durable: boolean): T {
    const { file, onlyFor } = this.#options
    const checked = (transaction: Transaction) => {
      if (onlyFor !== undefined) requireUser(transaction.sql, { service: onlyFor, file })
      return work(transaction)
    }
    const answer = this.#open().connection.write(checked, durable)
    this.#committedAt = performance.now()
    return answer
  }

  /**
   * Writers back to back would never let the other process' tries meet a free lock: while another writes too, leave a gap wider than its tries
   * now and then.
   */
  #giveWay(): void {
    const now = performance.now()
    const gap = this.#committedAt + gapMs - now
    if (gap <= 0) {
      this.#unbrokenSince = now
      return
    }
    if (this.#haveOthersWritten()) this.#contendedUntil = now + 100
    if (now > this.#contendedUntil || now < this.#unbrokenSince + longestRunMs) return
    pause(gap)
    this.#unbrokenSince = performance.now()
  }

  #haveOthersWritten(): boolean {
    const before = this.#changes
    try {
      return this.changes() !== before
    } catch {
      // The write that follows meets the same failure.
      return false
    }
  }

  #extent(): Extent | undefined {
    try {
      const extent = this.#guarded(() => this.#open().connection.extent())
      return extent === busy ? undefined : extent
    } catch {
      // The write that follows meets the same failure.
      return undefined
    }
  }

  #guarded<T>(work: () => T): T | typeof busy {
    if (this.#closed) throw closed()
    try {
      return work()
    } catch (error) {
      if (isBusy(error)) return busy
      const failure = storeError(error, this.file)
      if (isDamage(failure) && this.#opened !== undefined && this.#isInPlace()) this.#damage.set()
      // A connection to a disk that was full goes on; any other may be of no more use.
      if (codeOf(failure) !== 'STORE_FULL') this.#drop()
      throw failure
    }
  }

  #open(silent?: Machine): Opened {
    this.#opened ??= isInMemory(this.file) ? openInMemory(this.#options) : openOnDisk(this.#options, silent)
    return this.#opened
  }

  #isInPlace(): boolean {
    return this.#opened === undefined || this.#opened.files === filesAt(this.file)
  }

  #drop(): void {
    const opened = this.#opened
    this.#opened = undefined
    if (opened === undefined) return
    this.#changes++
    opened.bell.close()
    opened.log.close()
    opened.connection.close()
  }
}
