import { isSettled, legalMoves, type TaskState } from '../../tasks/states.ts'
import type { ActionAnswer } from '../engine.ts'
import { keepSettledMs } from '../losses.ts'
import { integer, stateOf } from './columns.ts'
import type { Transaction } from './connection.ts'
import { stateCode } from './schema.ts'

/** What operators and handles ask of one task. A task that is claimed at the same moment is either claimed or changed, never both. */

export interface Action {
  readonly id: string
  readonly now: number
}

export function cancel(transaction: Transaction, { id, now }: Action): ActionAnswer {
  return act(transaction, id, (seq, state) => {
    if (!legalMoves[state].includes('cancelled')) return false
    transaction.sql.run(cancelTask, now, now + keepSettledMs, seq)
    transaction.totals.move(state, 'cancelled', 1)
    return true
  })
}

export function retry(transaction: Transaction, { id, now }: Action): ActionAnswer {
  return act(transaction, id, (seq, state) => {
    if (!isSettled(state) || !legalMoves[state].includes('queued')) return false
    transaction.sql.run(retryTask, now, seq)
    transaction.totals.move(state, 'queued', 1)
    return true
  })
}

export function remove(transaction: Transaction, { id }: Action): ActionAnswer {
  return act(transaction, id, (seq, state) => {
    if (state === 'running') return false
    deleteTask(transaction, seq)
    transaction.totals.add(state, -1)
    return true
  })
}

/** Deletes a task's rows; its state's total is the caller's to change. */
export function deleteTask({ sql }: Transaction, seq: number): void {
  sql.run('DELETE FROM tasks WHERE seq = ?', seq)
  sql.run('DELETE FROM messages WHERE seq = ?', seq)
}

/** Finds the task and lets `change` try; answers what that found. */
function act(
  { sql }: Transaction,
  id: string,
  change: (seq: number, state: TaskState) => boolean,
): ActionAnswer {
  const row = sql.first(
    'SELECT t.seq, t.state FROM messages m JOIN tasks t ON t.seq = m.seq WHERE m.id = ?',
    id,
  )
  if (row === undefined) return { done: false, state: undefined }
  const state = stateOf(row[1])
  return change(integer(row[0]), state) ? { done: true } : { done: false, state }
}

const cancelTask = `
  UPDATE tasks SET state = ${stateCode.cancelled}, settled_at = ?, expires_at = ? WHERE seq = ?`

const retryTask = `
  UPDATE tasks SET state = ${stateCode.queued}, run_at = ?, reason = NULL, suspect = 0, attempts = 0, failures = 0, crashes = 0,
    losses = 0, started_at = NULL, settled_at = NULL, expires_at = NULL, result = NULL, error = NULL
  WHERE seq = ?`
