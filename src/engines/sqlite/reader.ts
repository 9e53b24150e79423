import { Connection } from './connection.ts'
import { closed, isBusy, isDamage, storeError } from './failures.ts'
import { busy, waitYielding } from './patience.ts'
import { filesAt } from './place.ts'
import { siteOf } from './site.ts'
import type { Sql } from './sql.ts'

/** A small read-only connection for looking things up, opened at the first question and anew where the store's files were replaced. */
export class Reader {
  readonly #file: string
  #connection: Connection | undefined
  #files = ''
  #closed = false

  constructor(file: string) {
    this.#file = file
  }

  /** @throws StoreError where the store can't be read. */
  read<T>(work: (sql: Sql) => T): Promise<T> {
    return waitYielding(() => this.#try((connection) => work(connection.sql)), this.#file)
  }

  /** What changes with every commit of another connection; undefined when that can't be told now. */
  version(): string | undefined {
    const version = this.#try((connection) => connection.version())
    return version === busy ? undefined : `${this.#files} ${version}`
  }

  close(): void {
    this.#closed = true
    this.#drop()
  }

  #try<T>(work: (connection: Connection) => T): T | typeof busy {
    if (this.#closed) throw closed()
    try {
      return work(this.#current())
    } catch (error) {
      if (isBusy(error)) return busy
      const failure = storeError(error, this.#file)
      if (isDamage(failure) && this.#files === filesAt(this.#file)) siteOf(this.#file).damage().set()
      this.#drop()
      throw failure
    }
  }

  #current(): Connection {
    if (this.#connection !== undefined && this.#files === filesAt(this.#file)) return this.#connection
    this.#drop()
    this.#files = ''
    this.#connection = new Connection(this.#file, { readOnly: true })
    // The log is opened by the first reading.
    this.#connection.version()
    this.#files = filesAt(this.#file)
    return this.#connection
  }

  #drop(): void {
    this.#connection?.close()
    this.#connection = undefined
  }
}
