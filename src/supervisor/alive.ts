import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { codeOf } from '../core/errors.ts'

/**
 * Who is alive on this machine, told by locks that the kernel drops when a process dies: busy means alive, free means dead,
 * whatever happens to pids. Each holder has `<id>.lock` (an SQLite file under `BEGIN EXCLUSIVE`) and `<id>.json` (facts
 * about it, readable while the lock is held).
 *
 * A POSIX lock is lost when its process closes any descriptor of the file, so a holder never opens its own lock file again.
 */
export interface AliveLock {
  readonly id: string
  /** Frees the lock and removes its files. Idempotent. */
  release(): void
}

/** What is known about the holder of a lock. */
export interface Holder {
  readonly id: string
  /** The worker an executor belongs to; undefined for a worker. */
  readonly parent: string | undefined
  readonly pid: number
  /** Start time of the pid in clock ticks since boot, where the system tells (Linux). */
  readonly pidStart: string | undefined
  /** Which numbering of pids it lives in (Linux). */
  readonly pidNamespace: string | undefined
  readonly startedAt: number
}

const held = new Set<string>()

/** Takes the lock of `id` in `folder` and keeps it until `release` or the end of the process. */
export function holdAlive(folder: string, id: string, parent?: string): AliveLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const holder: Holder = {
    id,
    parent,
    pid: process.pid,
    pidStart: pidStart(process.pid),
    pidNamespace: pidNamespace(),
    startedAt: Date.now(),
  }
  writeFileSync(join(folder, `${id}.json`), JSON.stringify(holder))
  const path = lockPath(folder, id)
  const database = openLock(path)
  held.add(path)
  return { id, release: () => release(folder, id, database) }
}

function release(folder: string, id: string, database: DatabaseSync): void {
  const path = lockPath(folder, id)
  if (!held.delete(path)) return
  database.close()
  removeTraces(folder, id)
}

/** Whether the holder of `id` lives. False where there never was one. */
export function isAlive(folder: string, id: string): boolean {
  const path = lockPath(folder, id)
  if (held.has(path)) return true
  try {
    // An SQLite file is made when it is opened: asking about nobody must leave nothing behind.
    if (!readdirSync(folder).includes(`${id}.lock`)) return false
    openLock(path).close()
    return false
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    if (isBusy(error)) return true
    throw error
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

/** Whether `holder`'s pid, seen from here, is still the process that wrote the facts. */
export function isSameProcess(holder: Holder): boolean {
  return holder.pidNamespace === pidNamespace() && holder.pidStart === pidStart(holder.pid)
}

function openLock(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function isBusy(error: unknown): boolean {
  // node:sqlite puts SQLite's result code (5: SQLITE_BUSY) on its errors.
  return error instanceof Error && 'errcode' in error && Number(error.errcode) % 256 === 5
}

function lockPath(folder: string, id: string): string {
  return join(folder, `${id}.lock`)
}

function readHolder(path: string): Holder[] {
  try {
    // Written by holdAlive only; a torn write does not parse and is left out until its lock is asked by id.
    return [JSON.parse(readFileSync(path, 'utf8')) as Holder]
  } catch {
    return []
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

function pidStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command name (field 2) is in parentheses and may hold spaces; start time is field 22.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

function pidNamespace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return undefined
  }
}
