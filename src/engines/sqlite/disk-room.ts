import type { StoreError } from '../../core/errors.ts'
import type { Extent } from './connection.ts'
import { crowded, crowding } from './failures.ts'
import { bytesAt, logBytes } from './log-length.ts'
import { siteOf } from './site.ts'

/** What is kept free of new tasks, in bytes; on a disk of less than eight times as much, an eighth of it. */
const mostReserved = 16 * 1024 * 1024
const reservedShare = 8
/** What of that is kept free of outcomes too, which may be as large as tasks: for claims, for what is short, and for deletions. */
const keptOf = { task: 1, outcome: 0.25 } as const
const whatOf = { task: 'further tasks', outcome: 'what tasks have ended with' } as const
/** About what the pages take that every commit writes. */
const commitBytes = 16_384
/** For how long a look counts that has found room, in ms. */
const lookEveryMs = 10

/** What wants room. */
export type Purpose = keyof typeof keptOf

/**
 * The room on a store's disk. Some is kept for work on the tasks that are there: to claim, settle or delete one takes pages too, and the write-ahead
 * log can't be copied into a file that can't grow, so a store that had filled its disk by itself would stay full for ever.
 */
export class DiskRoom {
  readonly #file: string
  readonly #extent: () => Extent | undefined
  #seen: Seen | undefined
  #lookedAt = Number.NEGATIVE_INFINITY

  /** `extent`: of the database; undefined where that can't be told now, and whoever writes meets the reason. */
  constructor(file: string, extent: () => Extent | undefined) {
    this.#file = file
    this.#extent = extent
  }

  /** Whether a commit of so many bytes fits: into the log, and from there into the file. */
  fits(bytes: number, purpose: Purpose): boolean {
    const now = performance.now()
    const isFresh = now < this.#lookedAt + lookEveryMs
    if (isFresh && this.#has(bytes, purpose)) return true
    this.#seen = this.#look()
    this.#lookedAt = now
    return this.#has(bytes, purpose)
  }

  /** Until the next look, a commit of so many bytes counts as made. */
  take(bytes: number): void {
    if (this.#seen === undefined) return
    this.#seen.free -= neededFor(bytes)
    this.#seen.spare -= neededFor(bytes)
  }

  /** Whether all that the log holds can be copied into the file: begun without room for that, it fills the disk and helps nobody. */
  canCopyLog(): boolean {
    const seen = this.#look()
    return seen === undefined || seen.free >= seen.growth
  }

  /** That there is none for a commit of so many bytes. */
  lacking(bytes: number, purpose: Purpose): StoreError {
    const seen = this.#look() ?? nothing
    const kept = keptIn(seen, purpose)
    const needed = wantedBy(seen, neededFor(bytes), purpose) - kept
    // One that could be emptied has been.
    const heldUp = seen.log > seen.free && seen.growth <= seen.free ? seen.log : 0
    return crowded(this.#file, whatOf[purpose], { free: seen.free, needed, kept, heldUp })
  }

  /** That there is little left, in plain words. What the log takes is given back once it is emptied. */
  shortness(): string | undefined {
    const seen = this.#look()
    if (seen === undefined || seen.free + seen.log - seen.growth + seen.spare >= 2 * seen.reserved)
      return undefined
    return crowding(this.#file, { free: seen.free, kept: keptIn(seen, 'task') })
  }

  #has(bytes: number, purpose: Purpose): boolean {
    return this.#seen === undefined || this.#seen.free >= wantedBy(this.#seen, neededFor(bytes), purpose)
  }

  #look(): Seen | undefined {
    const space = siteOf(this.#file).space()
    const extent = space && this.#extent()
    if (space === undefined || extent === undefined) return undefined
    return {
      free: space.free,
      reserved: Math.min(mostReserved, space.total / reservedShare),
      log: logBytes(this.#file),
      growth: Math.max(0, extent.all - bytesAt(this.#file)),
      spare: extent.free,
    }
  }
}

/** All in bytes. */
interface Seen {
  /** On the disk. */
  free: number
  readonly reserved: number
  readonly log: number
  /** By how much the file grows when the log is copied into it. */
  readonly growth: number
  /** Within the file. */
  spare: number
}

const nothing: Seen = { free: 0, reserved: 0, log: 0, growth: 0, spare: 0 }

/** In the log, with the pages of indexes around it; and again in the file. */
function neededFor(bytes: number): number {
  return 2 * bytes + commitBytes
}

/** How much has to be free for a commit of so many bytes: what is kept is used as any commit is, one half in the log and one in the file. */
function wantedBy({ reserved, growth, spare }: Seen, commit: number, purpose: Purpose): number {
  const half = (reserved * keptOf[purpose]) / 2
  const log = commit + half
  const file = growth + Math.max(0, commit + half - spare)
  return log + file
}

/** Where the file has room of its own it is only half as much. */
function keptIn(seen: Seen, purpose: Purpose): number {
  return wantedBy(seen, 0, purpose) - seen.growth
}
