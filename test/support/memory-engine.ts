import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Consumer, Consumption, Engine, Lease, Outcome, TaskRecord } from '../../src/engines/engine.ts'
import type { TaskMessage } from '../../src/tasks/message.ts'
import type { TaskState } from '../../src/tasks/states.ts'

/**
 * The consuming side of the engine contract in memory, for tests of the worker that watch and steer every hand-over: real leases, suspects claimed apart,
 * nothing durable. Everything else is tested on real engines.
 */
export class MemoryEngine implements Pick<Engine, 'enqueue' | 'consume' | 'find'> {
  readonly rows = new Map<string, Row>()
  readonly #ordinary: Row[] = []
  readonly #suspects: Row[] = []
  /** Every settlement that was recorded, in order. */
  readonly settled: { readonly row: Row; readonly outcome: Outcome }[] = []
  keepLog = true
  #consumer: Consumer | undefined
  #paused = false
  #planned = false
  #tokens = 0

  async enqueue(batch: readonly TaskMessage[]): Promise<{ stored: true }[]> {
    for (const message of batch) this.#add(message)
    this.#plan()
    return batch.map(() => ({ stored: true }))
  }

  /** Stores tasks that were alive in executors that died. */
  enqueueSuspects(batch: readonly TaskMessage[]): void {
    for (const message of batch) this.#add(message, true)
    this.#plan()
  }

  async consume(consumer: Consumer): Promise<Consumption> {
    this.#consumer = consumer
    return {
      owner: `memory-${process.pid}-${++consumptions}`,
      more: () => this.#plan(),
      settle: (lease, outcome) => this.#settle(lease, outcome),
      pause: async () => {
        this.#paused = true
      },
      stop: async () => {
        this.#paused = true
        for (const row of this.rows.values()) if (row.token !== undefined) this.#requeue(row)
      },
    }
  }

  async find(id: string): Promise<TaskRecord | undefined> {
    const row = this.rows.get(id)
    if (row === undefined) return undefined
    const { message, state, claims, crashes, outcome } = row
    return {
      message,
      state,
      reason: outcome?.kind === 'parked' ? outcome.reason : undefined,
      attempts: claims,
      crashes,
      runAt: message.runAt,
      startedAt: undefined,
      settledAt: undefined,
      result: undefined,
      error: outcome !== undefined && 'error' in outcome ? outcome.error : undefined,
      owner: undefined,
    }
  }

  /** How many tasks are in this state. */
  count(state: TaskState): number {
    let count = 0
    for (const row of this.rows.values()) if (row.state === state) count++
    return count
  }

  /** As an operator or another worker would: the lease in hand is worth nothing any more. */
  breakLease(id: string): void {
    const row = this.rows.get(id)
    if (row !== undefined) row.token = 'broken'
  }

  #add(message: TaskMessage, suspect = false): void {
    if (this.rows.has(message.id)) return
    const row: Row = { message, state: 'queued', failures: 0, crashes: 0, suspect, claims: 0 }
    this.rows.set(message.id, row)
    const queue = suspect ? this.#suspects : this.#ordinary
    queue.push(row)
  }

  #plan(): void {
    if (this.#planned) return
    this.#planned = true
    setImmediate(() => this.#claim())
  }

  #claim(): void {
    this.#planned = false
    if (this.#paused || this.#consumer === undefined) return
    const { ordinary, alone } = this.#consumer.slots()
    const rows = [...this.#suspects.splice(0, alone), ...this.#ordinary.splice(0, ordinary)]
    if (rows.length > 0) this.#consumer.run(rows.map((row) => this.#lease(row)))
  }

  #lease(row: Row): Lease {
    row.token = String(++this.#tokens)
    row.state = 'running'
    row.claims++
    const { message, failures, crashes, suspect } = row
    return { token: row.token, message, attempt: failures + crashes + 1, failures, crashes, suspect }
  }

  async #settle(lease: Lease, outcome: Outcome): Promise<'settled' | 'lost'> {
    const row = this.rows.get(lease.message.id)
    if (row === undefined || row.token !== lease.token) return 'lost'
    this.#record(row, outcome)
    if (this.keepLog) this.settled.push({ row, outcome })
    await nextTurn()
    return 'settled'
  }

  #record(row: Row, outcome: Outcome): void {
    if (outcome.kind === 'returned' || outcome.kind === 'crashed') {
      row.suspect ||= outcome.kind === 'crashed' || outcome.alone === true
      if (outcome.kind === 'crashed') row.crashes = outcome.crashes
      this.#requeue(row)
      return
    }
    row.suspect = false
    row.token = undefined
    if (outcome.kind === 'retry') {
      row.failures++
      setTimeout(() => this.#requeue(row), Math.max(0, outcome.runAt - Date.now()))
      return
    }
    row.state = outcome.kind
    row.outcome = outcome
    if (outcome.kind === 'done') for (const child of outcome.children) this.#add(child)
    if (!this.keepLog) this.rows.delete(row.message.id)
  }

  #requeue(row: Row): void {
    row.token = undefined
    row.state = 'queued'
    if (row.suspect) this.#suspects.push(row)
    else this.#ordinary.unshift(row)
    this.#plan()
  }
}

export interface Row {
  readonly message: TaskMessage
  state: TaskState
  /** How it was settled in the end. */
  outcome?: Outcome
  failures: number
  crashes: number
  suspect: boolean
  /** How often it was handed out. */
  claims: number
  token?: string | undefined
}

let consumptions = 0
