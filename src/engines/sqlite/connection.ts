import { DatabaseSync } from 'node:sqlite'
import { integer } from './columns.ts'
import { isStoreFailure } from './failures.ts'
import { Sql } from './sql.ts'
import { Totals } from './totals.ts'

/** What the work of one write transaction is given. */
export interface Transaction {
  readonly sql: Sql
  readonly totals: Totals
  /** How many pages may be in use once something was added. */
  readonly mostPages: number
}

/** One open connection to the database file. Throws what SQLite throws; nothing here waits for a lock. */
export class Connection {
  readonly sql: Sql
  readonly #database: DatabaseSync
  #durable = false
  #mostPages = Number.POSITIVE_INFINITY

  constructor(file: string, options: { readonly readOnly: boolean }) {
    this.#database = new DatabaseSync(file, { timeout: 0, readOnly: options.readOnly })
    this.sql = new Sql(this.#database)
  }

  /**
   * Write-ahead logging, with `checkpointPages` pages of log before a commit copies them into the database file. False where the file system
   * can't do that.
   */
  useLog(checkpointPages: number): boolean {
    const mode = this.sql.first('PRAGMA journal_mode = WAL')?.[0]
    // fullfsync: on macOS a plain flush stops at the disk's own memory.
    this.sql.script(`
      PRAGMA synchronous = NORMAL;
      PRAGMA fullfsync = ON;
      PRAGMA wal_autocheckpoint = ${checkpointPages};
      PRAGMA journal_size_limit = 67108864;
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -8192`)
    return mode === 'wal'
  }

  /** Nothing is added beyond this. What is there needs some room more to be taken and deleted: rows grow, and pages are divided. */
  limit(bytes: number): void {
    this.#mostPages = Math.max(1, Math.floor(bytes / this.#pragma('page_size')))
    this.sql.first(`PRAGMA max_page_count = ${this.#mostPages + sparePages}`)
  }

  /** One transaction, all or nothing; `durable`: it survives a power cut once this has returned. */
  write<T>(work: (transaction: Transaction) => T, durable: boolean): T {
    this.#setDurable(durable)
    this.sql.run('BEGIN IMMEDIATE')
    try {
      const totals = new Totals()
      const answer = work({ sql: this.sql, totals, mostPages: this.#mostPages })
      totals.write(this.sql)
      this.sql.run('COMMIT')
      return answer
    } catch (error) {
      this.#rollBack()
      throw error
    }
  }

  /** A number that changes when another connection has committed. */
  version(): number {
    return this.#pragma('data_version')
  }

  /** How large the database is with what only the log has of it yet, and how much of that is free, in bytes. */
  extent(): Extent {
    const size = this.#pragma('page_size')
    return { all: this.#pragma('page_count') * size, free: this.#pragma('freelist_count') * size }
  }

  close(): void {
    this.#database.close()
  }

  #pragma(name: string): number {
    return integer(this.sql.first(`PRAGMA ${name}`)?.[0])
  }

  #setDurable(durable: boolean): void {
    if (durable === this.#durable) return
    this.sql.script(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`)
    this.#durable = durable
  }

  #rollBack(): void {
    // After some failures SQLite has rolled back by itself.
    if (this.#database.isTransaction) this.sql.run('ROLLBACK')
  }
}

export interface Extent {
  readonly all: number
  readonly free: number
}

/** 4 MiB: a claim of a hundred tasks divides some hundred pages at worst. */
const sparePages = 1_024

/** A part of a transaction that is undone on its own when it fails for what is in it; the rest can go on. */
export function nested<T>({ sql, totals, mostPages }: Transaction, work: (part: Transaction) => T): T {
  const moved = new Totals()
  sql.run('SAVEPOINT part')
  try {
    const answer = work({ sql, totals: moved, mostPages })
    sql.run('RELEASE part')
    totals.include(moved)
    return answer
  } catch (error) {
    // When the store fails, the whole transaction ends.
    if (!isStoreFailure(error)) sql.script('ROLLBACK TO part; RELEASE part')
    throw error
  }
}
