import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import type { Engine } from '../../src/engines/engine.ts'
import { openSqlite, type SqliteOptions } from '../../src/engines/sqlite/engine.ts'

/** What the SQLite tests do with the store behind the engine's back. */

export const storeFile = (folder: string) => join(folder, 'tasks.db')

/** An engine that is closed when the test ends. */
export async function openEngine(
  test: TestContext,
  options: Partial<SqliteOptions> & { folder: string },
): Promise<Engine> {
  const engine = await openSqlite({ sync: 'normal', role: 'worker', ...options })
  test.after(() => engine.close())
  return engine
}

/** Runs statements on a connection of their own. */
export function tamper(folder: string, statements: string): void {
  const database = new DatabaseSync(storeFile(folder), { timeout: 5_000 })
  database.exec(statements)
  database.close()
}

/** The rows of a query. */
export function rowsOf(folder: string, query: string): Record<string, unknown>[] {
  const database = new DatabaseSync(storeFile(folder), { timeout: 5_000 })
  const rows = database.prepare(query).all()
  database.close()
  return rows
}

/** Insists that the file is whole, that every task has its message and that the totals are those of the rows. */
export function assertSound(folder: string): void {
  assert.deepEqual(
    rowsOf(folder, 'PRAGMA integrity_check').map((row) => row.integrity_check),
    ['ok'],
  )
  const odd = rowsOf(
    folder,
    `SELECT seq FROM tasks WHERE seq NOT IN (SELECT seq FROM messages)
     UNION ALL SELECT seq FROM messages WHERE seq NOT IN (SELECT seq FROM tasks)
     UNION ALL SELECT seq FROM tasks WHERE (state = 2) <> (owner IS NOT NULL) OR (state = 2) <> (lease IS NOT NULL)
     UNION ALL SELECT seq FROM tasks WHERE (state >= 3) <> (expires_at IS NOT NULL)`,
  )
  assert.deepEqual(odd, [])
  const counted = `SELECT ${[0, 1, 2, 3, 4, 5, 6].map((state) => `sum(state = ${state})`).join(', ')} FROM tasks`
  const [real] = rowsOf(folder, counted)
  const [kept] = rowsOf(
    folder,
    'SELECT scheduled, queued, running, done, failed, cancelled, parked FROM totals',
  )
  assert.deepEqual(
    Object.values(kept ?? {}),
    Object.values(real ?? {}).map((count) => count ?? 0),
  )
}

/** Random numbers below 1 that come again with the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
