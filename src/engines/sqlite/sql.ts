import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'

/**
 * The statements of one connection, each prepared once, found again by their text. Rows come as arrays of columns: objects cost half as
 * much again.
 */
export class Sql {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Runs one statement; answers how many rows it changed. */
  run(text: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepared(text).run(...values).changes)
  }

  /** Inserts one row; answers its rowid, or undefined where it was left out for a conflict. */
  insert(text: string, ...values: SQLInputValue[]): number | undefined {
    const { changes, lastInsertRowid } = this.#prepared(text).run(...values)
    return Number(changes) === 1 ? Number(lastInsertRowid) : undefined
  }

  all(text: string, ...values: SQLInputValue[]): readonly Row[] {
    // The types don't know that `returnArrays` makes rows arrays.
    return this.#prepared(text).all(...values) as unknown as readonly Row[]
  }

  first(text: string, ...values: SQLInputValue[]): Row | undefined {
    // As above.
    return this.#prepared(text).get(...values) as unknown as Row | undefined
  }

  /** Runs statements that are not worth keeping prepared. */
  script(text: string): void {
    this.#database.exec(text)
  }

  #prepared(text: string): StatementSync {
    const known = this.#statements.get(text)
    if (known !== undefined) return known
    const statement = this.#database.prepare(text, { returnArrays: true })
    this.#statements.set(text, statement)
    return statement
  }
}

export type Row = readonly SQLOutputValue[]
