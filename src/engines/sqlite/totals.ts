import { type TaskState, taskStates } from '../../tasks/states.ts'
import { integer } from './columns.ts'
import type { Sql } from './sql.ts'

/** What one transaction has moved between states, written once at its end. */
export class Totals {
  readonly #changes = new Map<TaskState, number>()

  /** `count` tasks have come into `state` (or left it, where negative). */
  add(state: TaskState, count: number): void {
    this.#changes.set(state, (this.#changes.get(state) ?? 0) + count)
  }

  move(from: TaskState, to: TaskState, count: number): void {
    this.add(from, -count)
    this.add(to, count)
  }

  /** Takes in what a part of the transaction has moved. */
  include(part: Totals): void {
    for (const [state, count] of part.#changes) this.add(state, count)
  }

  write(sql: Sql): void {
    const changes = taskStates.map((state) => this.#changes.get(state) ?? 0)
    if (changes.some((change) => change !== 0)) sql.run(addTotals, ...changes)
  }
}

const addTotals = `UPDATE totals SET ${taskStates.map((state) => `${state} = ${state} + ?`).join(', ')}`
const readAll = `SELECT ${taskStates.join(', ')} FROM totals`

/** How many tasks are in each state. */
export function readTotals(sql: Sql): Readonly<Record<TaskState, number>> {
  const row = sql.first(readAll) ?? []
  const counted = taskStates.map((state, index) => [state, integer(row[index])] as const)
  // fromEntries forgets the keys, which are all of the states.
  return Object.fromEntries(counted) as Record<TaskState, number>
}
