import { StoreError } from '../../core/errors.ts'
import type { TaskState } from '../../tasks/states.ts'
import { keepSettledMs } from '../losses.ts'
import { integer } from './columns.ts'
import type { Sql } from './sql.ts'

/**
 * What `tasks.db` looks like. `messages` holds what was fired and is written once; `tasks` holds what changes, in rows small enough that
 * a hundred of them are a few pages. Both are keyed by `seq`, the order of arrival. Every index serves one question and is partial, so a
 * change of state costs one entry out and one in. `totals` counts the tasks of each state; whoever changes a state changes it in the same
 * transaction (counting a million entries takes 60 ms, which no request should wait for).
 */

/** How states are stored. Never renumber: stores of older versions hold these. */
export const stateCode = {
  scheduled: 0,
  queued: 1,
  running: 2,
  done: 3,
  failed: 4,
  cancelled: 5,
  parked: 6,
} as const satisfies Record<TaskState, number>

export const settledStates = ['done', 'failed', 'cancelled', 'parked'] as const satisfies readonly TaskState[]
export type SettledState = (typeof settledStates)[number]

/** Conditions on `t`, a row of `tasks`, written as their partial index is: SQLite sees only then, and by literal numbers, that it fits. */
export const inLine = {
  ordinary: `t.state = ${stateCode.queued} AND t.suspect = 0`,
  alone: `t.state = ${stateCode.queued} AND t.suspect = 1`,
}
export const settledAs = (state: SettledState) =>
  `t.state >= ${stateCode.done} AND t.state = ${stateCode[state]}`

// SQLite takes larger ones, which node:sqlite then refuses to read.
const isWhole = (column: string) => `abs(${column}) <= ${Number.MAX_SAFE_INTEGER}`

const first = `
  CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL CONSTRAINT "priority is a whole number" CHECK (${isWhole('priority')}),
    run_at INTEGER NOT NULL CONSTRAINT "runAt is a whole number" CHECK (${isWhole('run_at')}),
    fired_at INTEGER NOT NULL CONSTRAINT "firedAt is a whole number" CHECK (${isWhole('fired_at')}),
    at_most_once INTEGER NOT NULL,
    args TEXT NOT NULL,
    options TEXT NOT NULL,
    context TEXT NOT NULL
  ) STRICT;
  CREATE TABLE tasks (
    seq INTEGER PRIMARY KEY,
    state INTEGER NOT NULL,
    reason TEXT,
    priority INTEGER NOT NULL,
    run_at INTEGER NOT NULL CONSTRAINT "runAt is a whole number" CHECK (${isWhole('run_at')}),
    at_most_once INTEGER NOT NULL,
    suspect INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0 CONSTRAINT "crashes is a whole number" CHECK (${isWhole('crashes')}),
    losses INTEGER NOT NULL DEFAULT 0,
    owner INTEGER,
    lease INTEGER,
    started_at INTEGER,
    settled_at INTEGER,
    expires_at INTEGER CONSTRAINT "expiresAt is a whole number" CHECK (${isWhole('expires_at')}),
    result TEXT,
    error TEXT
  ) STRICT;
  CREATE INDEX tasks_ordinary ON tasks (priority, run_at) WHERE state = 1 AND suspect = 0;
  CREATE INDEX tasks_alone ON tasks (priority, run_at) WHERE state = 1 AND suspect = 1;
  CREATE INDEX tasks_scheduled ON tasks (run_at) WHERE state = 0;
  CREATE INDEX tasks_running ON tasks (owner) WHERE state = 2;
  CREATE INDEX tasks_settled ON tasks (state, expires_at) WHERE state >= 3;
  CREATE TABLE owners (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    stuck_since INTEGER
  ) STRICT;
  CREATE TABLE machine (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    boot TEXT NOT NULL,
    host TEXT NOT NULL,
    beat_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE totals (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    scheduled INTEGER NOT NULL,
    queued INTEGER NOT NULL,
    running INTEGER NOT NULL,
    done INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    parked INTEGER NOT NULL
  ) STRICT;
  INSERT INTO totals VALUES (1, 0, 0, 0, 0, 0, 0, 0);`

/**
 * Early stores, which no release has written, kept a signature of its own for each message, and sealed contexts in a way that is not read any more.
 * Their version is that of later ones without.
 */
const withoutSignatures = `
  UPDATE tasks SET state = ${stateCode.parked}, reason = 'undecodable', owner = NULL, lease = NULL,
    settled_at = unixepoch() * 1000, expires_at = unixepoch() * 1000 + ${keepSettledMs},
    error = json_object('code', 'UNDECODABLE', 'message', 'It was stored by a version before 0.1.0, whose seal is not read any more. Fire it anew.')
  WHERE state < ${stateCode.done};
  UPDATE totals SET parked = parked + scheduled + queued + running, scheduled = 0, queued = 0, running = 0;
  ALTER TABLE messages DROP COLUMN mac;`

/** The service that alone may use it, where that is asked for. */
const user = `
  CREATE TABLE IF NOT EXISTS user (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    service TEXT NOT NULL
  ) STRICT;`

/** From each version to the next; a store at version n has had the first n of them. Never change one that was released. */
const steps: readonly ((sql: Sql) => void)[] = [
  (sql) => sql.script(first),
  (sql) => {
    const signature = sql.first("SELECT 1 FROM pragma_table_info('messages') WHERE name = 'mac'")
    if (signature !== undefined) sql.script(withoutSignatures)
  },
  (sql) => sql.script(user),
]

export function versionOf(sql: Sql): number {
  return integer(sql.first('PRAGMA user_version')?.[0])
}

/**
 * Whether the store needs `migrate`.
 * @throws StoreError `STORE_TOO_NEW`, or `STORE_CORRUPT` for a database that is none of ours.
 */
export function isOutdated(sql: Sql, file: string): boolean {
  const version = versionOf(sql)
  if (version > steps.length) throw tooNew(file, version)
  if (version === 0 && sql.first('SELECT 1 FROM sqlite_schema LIMIT 1') !== undefined) throw notOurs(file)
  return version < steps.length
}

/** Brings the store to this version; to be called within a transaction, where someone else may have done it meanwhile. */
export function migrate(sql: Sql): void {
  for (const step of steps.slice(versionOf(sql))) step(sql)
  sql.script(`PRAGMA user_version = ${steps.length}`)
}

function tooNew(file: string, version: number): StoreError {
  return new StoreError(
    'STORE_TOO_NEW',
    `${file} was written by a newer version of Macaron (store version ${version}; this one knows up to ${steps.length}). Nothing in it was changed. Install that version again, or move the file away to start with an empty store.`,
  )
}

function notOurs(file: string): StoreError {
  return new StoreError(
    'STORE_CORRUPT',
    `${file} is an SQLite database, but no task store. Nothing in it was changed or removed. Move it away, or name another folder in broker_url.`,
  )
}
