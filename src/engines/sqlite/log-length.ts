import { statSync } from 'node:fs'
import { StoreError } from '../../core/errors.ts'
import { emit } from '../../core/events.ts'

/** Checkpoints keep the write-ahead log below this, unless something hinders them for long. */
const longestLogBytes = 160 * 1024 * 1024

/** How long the write-ahead log of the database `file` is now; 0 where it has none, or that can't be told. */
export function logBytes(file: string): number {
  return bytesAt(`${file}-wal`)
}

/** How long a file is; 0 where there is none, or that can't be told. */
export function bytesAt(file: string): number {
  try {
    return statSync(file).size
  } catch {
    return 0
  }
}

/** A log that is shorter, in bytes, has little room to give. */
const leastEmptied = 131_072

/** Whether the log of `file` takes room that is worth the work of emptying it. */
export function isWorthEmptying(file: string): boolean {
  return logBytes(file) >= leastEmptied
}

/** How a checkpoint has ended: the log begins anew; who reads it, or copies it himself, has hindered that; or writers left no gap in which it could. */
export type Ending = 'begun anew' | 'hindered' | 'crowded out'

/** What is known of the last checkpoint. */
export interface CheckpointEnd {
  readonly ending?: Ending | undefined
  /** What it failed with. */
  readonly fault?: Error | undefined
}

/** What there is to say of a log that is too long. Its tasks are stored all the same. */
export function longLog(file: string, end: CheckpointEnd = {}): StoreError | undefined {
  const bytes = logBytes(file)
  // Once it has begun anew, the file is cut short with the next commit.
  if (bytes <= longestLogBytes || end.ending === 'begun anew') return undefined
  const why = reasonOf(file, end)
  return new StoreError(
    'STORE_LOG_LONG',
    `The write-ahead log of ${file} has grown to ${Math.round(bytes / 1024 / 1024)} MiB, since ${why}. Tasks are stored as before, until the disk is full.`,
    { cause: end.fault },
  )
}

function reasonOf(file: string, { ending, fault }: CheckpointEnd): string {
  if (fault !== undefined) return `copying it into the file fails (${fault.message})`
  if (ending === 'crowded out')
    return 'those who write leave no time to copy it into the file; writes wait until it is copied'
  return `another process has been reading it for long (a backup, a database tool with an open transaction): find it with \`fuser ${file}\` and end it`
}

/** Tells once that the log of `file` is too long, and once that it no longer is. */
export class LogLength {
  readonly #file: string
  #since: number | undefined

  constructor(file: string) {
    this.#file = file
  }

  /** Looks, and gives whether it is too long. */
  look(end?: CheckpointEnd): boolean {
    const long = longLog(this.#file, end)
    if (long !== undefined && this.#since === undefined) {
      this.#since = performance.now()
      emit('store.log_long', { code: long.code, message: long.message })
    }
    if (long === undefined && this.#since !== undefined) {
      emit('store.log_short', { afterMs: Math.round(performance.now() - this.#since) })
      this.#since = undefined
    }
    return long !== undefined
  }
}
