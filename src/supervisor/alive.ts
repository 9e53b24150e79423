import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { codeOf, MacaronError } from '../core/errors.ts'
import { identityOf, isStillRunning, type ProcessIdentity } from './process-identity.ts'

/**
 * Who is alive on this machine, told by locks that the kernel drops when a process dies: busy means alive, whatever happens to
 * pids. Each holder has `<id>.lock` (an SQLite file under `BEGIN EXCLUSIVE`) and `<id>.json` (facts about it, readable while
 * the lock is held).
 *
 * A POSIX lock is lost when its process closes any descriptor of the file, so a holder never opens its own lock file again. Should
 * other code in it do so, the facts still speak: the same pid with the same start time is the same process.
 */
export interface AliveLock {
  readonly id: string
  /** Frees the lock and removes its files. Idempotent. */
  release(): void
}

/** What is known about the holder of a lock. */
export interface Holder extends ProcessIdentity {
  readonly id: string
  /** The worker an executor belongs to; undefined for a worker. */
  readonly parent?: string
  readonly startedAt: number
}

const held = new Set<string>()

/**
 * Takes the lock of `id` in `folder` and keeps it until `release` or the end of the process.
 * @throws MacaronError `ALIVE_LOCKED` where another process holds it.
 */
export function holdAlive(folder: string, id: string, parent?: string): AliveLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = lockPath(folder, id)
  const database = lock(path, id)
  held.add(path)
  writeFacts(folder, { id, parent, ...identityOf(process.pid), startedAt: Date.now() })
  return { id, release: () => release(folder, id, database) }
}

function lock(path: string, id: string): DatabaseSync {
  if (held.has(path)) throw locked(path, id)
  // Whoever asks `isAlive` holds a read lock for a moment: wait for that.
  const database = new DatabaseSync(path, { timeout: 1000 })
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    if (!isBusy(error)) throw error
    throw locked(path, id, error)
  }
}

function locked(path: string, id: string, cause?: unknown): MacaronError {
  return new MacaronError(
    'ALIVE_LOCKED',
    `The lock of ${id} at ${path} is held already; ids must be unique`,
    { cause },
  )
}

/** By rename, so that nobody reads half of it. */
function writeFacts(folder: string, facts: { [Key in keyof Holder]: Holder[Key] | undefined }): void {
  const path = join(folder, `${facts.id}.json`)
  writeFileSync(`${path}.new`, JSON.stringify(facts))
  renameSync(`${path}.new`, path)
}

function release(folder: string, id: string, database: DatabaseSync): void {
  const path = lockPath(folder, id)
  if (!held.delete(path)) return
  rmSync(join(folder, `${id}.json`), { force: true })
  database.close()
  removeTraces(folder, id)
}

/** Whether the holder of `id` lives. False where there never was one. */
export function isAlive(folder: string, id: string): boolean {
  return isLocked(lockPath(folder, id)) || readHolder(join(folder, `${id}.json`)).some(isStillRunning)
}

function isLocked(path: string): boolean {
  if (held.has(path)) return true
  let database: DatabaseSync | undefined
  try {
    // Read-only: asking about nobody leaves no file behind, and two who ask don't get in each other's way.
    database = new DatabaseSync(path, { timeout: 0, readOnly: true })
    database.exec('PRAGMA schema_version')
    return false
  } catch (error) {
    if (isBusy(error)) return true
    if (isAbsent(error)) return false
    throw error
  } finally {
    database?.close()
  }
}

/** Everyone who has or had a lock in `folder`, dead ones whose traces are still there included. */
export function holders(folder: string): readonly Holder[] {
  return readdirOrNothing(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => readHolder(join(folder, name)))
}

/** Removes what a dead holder left behind. */
export function removeTraces(folder: string, id: string): void {
  rmSync(join(folder, `${id}.json`), { force: true })
  rmSync(lockPath(folder, id), { force: true })
}

function isBusy(error: unknown): boolean {
  return resultCode(error) === 5
}

function isAbsent(error: unknown): boolean {
  return resultCode(error) === 14
}

/** SQLite's result code, which node:sqlite puts on its errors: 5 is SQLITE_BUSY, 14 SQLITE_CANTOPEN. */
function resultCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) % 256 : undefined
}

function lockPath(folder: string, id: string): string {
  return resolve(folder, `${id}.lock`)
}

function readHolder(path: string): Holder[] {
  try {
    // Written by holdAlive only, whole.
    return [JSON.parse(readFileSync(path, 'utf8')) as Holder]
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return []
    throw error
  }
}

function readdirOrNothing(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
