import type { StoreError } from '../../core/errors.ts'
import { crowded, crowding } from './failures.ts'
import { logBytes } from './log-length.ts'
import type { DiskSpace } from './place.ts'
import { siteOf } from './site.ts'

/** What is kept free, in bytes; on a disk of less than eight times as much, an eighth of it. */
const mostReserved = 16 * 1024 * 1024
const reservedShare = 8
/** About what the pages take that every commit writes. */
const commitBytes = 16_384
/** For how long a look counts that has found room. */
const lookEveryMs = 10

/**
 * The room for further tasks on a store's disk. Some is kept for work on those that are there: to claim, settle or delete one takes pages too, and the write-ahead
 * log can't be copied into a file that can't grow, so a store that had filled its disk by itself would stay full for ever.
 */
export class DiskRoom {
  readonly #file: string
  readonly #spareBytes: () => number
  #seen: Seen | undefined
  #lookedAt = Number.NEGATIVE_INFINITY

  /** `spareBytes`: what is free within the database file. */
  constructor(file: string, spareBytes: () => number) {
    this.#file = file
    this.#spareBytes = spareBytes
  }

  /** Whether a commit of so many bytes of tasks fits: into the log, and from there into the file. */
  fits(bytes: number): boolean {
    const now = performance.now()
    const isFresh = now < this.#lookedAt + lookEveryMs
    if (isFresh && this.#has(bytes)) return true
    this.#seen = this.#look()
    this.#lookedAt = now
    return this.#has(bytes)
  }

  take(bytes: number): void {
    if (this.#seen === undefined) return
    this.#seen.free -= neededFor(bytes)
    this.#seen.log += neededFor(bytes)
  }

  /** That there is none for a commit of so many bytes. */
  lacking(bytes: number): StoreError {
    const seen = this.#look() ?? nothing
    const kept = takenBy(seen, 0)
    return crowded(this.#file, { free: seen.free, needed: takenBy(seen, neededFor(bytes)) - kept, kept })
  }

  /** That there is little left, in plain words. */
  shortness(): string | undefined {
    const seen = this.#look()
    if (seen === undefined || seen.free + seen.spare >= 2 * seen.reserved) return undefined
    return crowding(this.#file, { free: seen.free, kept: takenBy(seen, 0) })
  }

  #has(bytes: number): boolean {
    return this.#seen === undefined || this.#seen.free >= takenBy(this.#seen, neededFor(bytes))
  }

  #look(): Seen | undefined {
    const space = siteOf(this.#file).space()
    if (space === undefined) return undefined
    return {
      free: space.free,
      reserved: reservedOf(space),
      log: logBytes(this.#file),
      spare: this.#spareBytes(),
    }
  }
}

/**
 * What of the disk goes to a log that grows by so many bytes and is then copied into the file, with one half of what is kept for work on the tasks that are there;
 * the other half is for the log of that work.
 */
function takenBy({ reserved, log, spare }: Seen, needed: number): number {
  const half = reserved / 2
  return half + needed + Math.max(0, log + needed + half - spare)
}

/** How much of a disk is kept free, in bytes; half of that where the file has as much room of its own. */
function reservedOf({ total }: DiskSpace): number {
  return Math.min(mostReserved, total / reservedShare)
}

/** All in bytes. */
interface Seen {
  free: number
  readonly reserved: number
  /** What may have to be copied into the file, */
  log: number
  /** which has so much room of its own. */
  readonly spare: number
}

const nothing: Seen = { free: 0, reserved: 0, log: 0, spare: 0 }

/** Into the log, with the pages of indexes around it. */
function neededFor(bytes: number): number {
  return 2 * bytes + commitBytes
}
