import { asError, codeOf, StoreError } from '../../core/errors.ts'
import { spaceAt } from './place.ts'

/**
 * What goes wrong with the store, as errors with stable codes that say what to do. SQLite's result codes are the lower byte of
 * `errcode` (https://sqlite.org/rescode.html); node:sqlite puts them on what it throws.
 */

const sqlite = { busy: 5, locked: 6, readonly: 8, ioerr: 10, corrupt: 11, full: 13, cantopen: 14, notadb: 26 }

/** Another connection holds a lock that this one needs. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error)
  return code === sqlite.busy || code === sqlite.locked
}

/**
 * Whether the store itself fails. Anything else (a value that can't be stored, too long a text) is the fault of one row, and must not
 * stop the others.
 */
export function isStoreFailure(error: unknown): boolean {
  const code = resultCode(error)
  return error instanceof StoreError || (code !== undefined && Object.values(sqlite).includes(code))
}

/** Any error of the store at `file` as what Macaron throws for it; the fault of a row stays what it is. */
export function storeError(error: unknown, file: string): Error {
  // A folder that can't be made is called unwritable, also where the disk is full.
  if (error instanceof StoreError) return codeOf(error.cause) === 'ENOSPC' ? full(file, error.cause) : error
  switch (resultCode(error) ?? codeOf(error)) {
    case sqlite.busy:
    case sqlite.locked:
      return busyTooLong(file, error)
    case sqlite.full:
    case 'ENOSPC':
    case 'EDQUOT':
      return full(file, error)
    case sqlite.corrupt:
    case sqlite.notadb:
      return corrupt(file, { why: asError(error).message, cause: error })
    case sqlite.readonly:
    case sqlite.cantopen:
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
    case 'ENOENT':
      return unwritable(file, error)
    case sqlite.ioerr:
    case 'EIO':
      return isFull(file) ? full(file, error) : failing(file, error)
    default:
      return asError(error)
  }
}

export function overLimit(): StoreError {
  return new StoreError('STORE_FULL', 'The store has grown to the limit that was set for it.')
}

export function busyTooLong(file: string, cause?: unknown): StoreError {
  return new StoreError(
    'STORE_BUSY',
    `${file} has been locked by another process for more than 5 s. Look for a process that holds it open in a transaction: \`fuser ${file}\`.`,
    { cause },
  )
}

export function replaced(file: string): StoreError {
  return new StoreError(
    'STORE_REPLACED',
    `${file} was deleted or replaced again and again while it was in use. Stop the service before you move its store.`,
  )
}

export function elsewhere(file: string, host: string): StoreError {
  return new StoreError(
    'STORE_ELSEWHERE',
    `${file} is in use by another machine (${host}). An SQLite store serves one machine; stop the service there, or use another store.`,
  )
}

export function unlogged(file: string): StoreError {
  return new StoreError(
    'STORE_UNWRITABLE',
    `The file system of ${file} can't share memory between processes, which SQLite's write-ahead log needs. Put the service's folder on a local disk.`,
  )
}

export function closed(): StoreError {
  return new StoreError('STORE_CLOSED', 'The task store was closed: the service is stopping.')
}

function full(file: string, cause: unknown): StoreError {
  return new StoreError(
    'STORE_FULL',
    `No space left on the disk of ${file}. Free some; tasks are stored again by themselves then.`,
    { cause },
  )
}

/** Of a disk, in bytes. */
interface Crowding {
  readonly free: number
  readonly kept: number
}

const untilRead = 'which come back when no other process (a backup, a database tool) reads the store any more'

/** Before it is full. */
export function crowded(
  file: string,
  what: string,
  bytes: Crowding & { readonly needed: number; readonly heldUp: number },
): StoreError {
  const [free, needed, kept] = [bytes.free, bytes.needed, bytes.kept].map(inKiB)
  const held = bytes.heldUp > 0 ? ` The write-ahead log takes ${inKiB(bytes.heldUp)}, ${untilRead}.` : ''
  return new StoreError(
    'STORE_FULL',
    `No space left on the disk of ${file} for ${what}: ${free} are free, ${needed} may be needed, and ${kept} are kept for running and deleting the tasks that are there.${held} Free some; it goes on by itself then.`,
  )
}

/** That tasks will soon be refused. */
export function crowding(file: string, bytes: Crowding): string {
  const [free, kept] = [bytes.free, bytes.kept].map(inKiB)
  return `Only ${free} are free on the disk of ${file}: below ${kept} no further tasks are stored.`
}

function inKiB(bytes: number): string {
  return `${Math.floor(bytes / 1024)} KiB`
}

/** Where that is known, but not met just now. */
export function damaged(file: string): StoreError {
  return corrupt(file, { why: "some of it can't be read" })
}

/** What is read again fails again. */
export function isDamage(error: unknown): boolean {
  return codeOf(error) === 'STORE_CORRUPT'
}

function corrupt(file: string, { why, cause }: { why: string; cause?: unknown }): StoreError {
  return new StoreError(
    'STORE_CORRUPT',
    `${file} is damaged or no SQLite database (${why}). Nothing was removed. Stop the service, then either move the file with its -wal and -shm away to start with an empty store, or save what can be read from a copy with \`sqlite3 copy.db .recover\`.`,
    { cause },
  )
}

function unwritable(file: string, cause: unknown): StoreError {
  return new StoreError(
    'STORE_UNWRITABLE',
    `${file} can't be opened or written (${asError(cause).message}). Check that its folder exists, belongs to this user and is on a disk that is not mounted read-only.`,
    { cause },
  )
}

function failing(file: string, cause: unknown): StoreError {
  return new StoreError(
    'STORE_FAILED',
    `The disk of ${file} reports an error (${asError(cause).message}). Look into the system's log; tasks are stored again once it works.`,
    { cause },
  )
}

/** Some calls report a full disk as a plain I/O error, such as growing the index of the write-ahead log. */
function isFull(file: string): boolean {
  const space = spaceAt(file)
  return space !== undefined && space.free < 65_536
}

function resultCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined
}
