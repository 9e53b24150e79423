import type { SQLInputValue } from 'node:sqlite'
import { asError, codeOf, TaskError } from '../../core/errors.ts'
import type { TaskMessage } from '../../tasks/message.ts'
import type { TaskState } from '../../tasks/states.ts'
import type { Lease, Outcome } from '../engine.ts'
import { keepSettledMs } from '../losses.ts'
import { errorText, readToken } from './columns.ts'
import { nested, type Transaction } from './connection.ts'
import { enqueue, fieldsOf } from './enqueue.ts'
import { isStoreFailure } from './failures.ts'
import { stateCode } from './schema.ts'

/** Whether it was recorded how an attempt ended; an error where its task was failed with that instead. */
export type Recorded = boolean | Error

/**
 * Records how an attempt ended; false, and nothing changed, where its lease is no longer held. An outcome that can't be stored for what
 * is in it (a child whose time is no number) fails its task with that reason: it would keep all others from being recorded for ever.
 */
export function settle(transaction: Transaction, ended: Ended, now: number): Recorded {
  const hasParts = ended.outcome.kind === 'done' && ended.outcome.children.length > 0
  try {
    if (!hasParts) return record(transaction, ended, now)
    return nested(transaction, (part) => record(part, ended, now))
  } catch (error) {
    if (isStoreFailure(error)) throw error
    const fault = asError(error)
    return record(transaction, { lease: ended.lease, outcome: unstorable(fault, now) }, now) && fault
  }
}

export interface Ended {
  readonly lease: Lease
  readonly outcome: Outcome
}

function record(transaction: Transaction, { lease, outcome }: Ended, now: number): boolean {
  const { sql, totals } = transaction
  const token = readToken(lease.token)
  const change = changeOf(lease, outcome, now)
  if (sql.run(change.statement, ...change.values, token.seq, token.lease) === 0) return false
  totals.move('running', change.state, 1)
  if (outcome.kind === 'done' && outcome.children.length > 0) addChildren(transaction, outcome.children, now)
  return true
}

/** What an ended attempt makes of its task. */
interface Change {
  readonly state: TaskState
  readonly statement: string
  readonly values: readonly SQLInputValue[]
}

function changeOf(lease: Lease, outcome: Outcome, now: number): Change {
  switch (outcome.kind) {
    case 'done':
      return { state: 'done', statement: finish, values: [outcome.result, now, outcome.expiresAt] }
    case 'failed':
      return { state: 'failed', statement: fail, values: [errorText(outcome.error), now, outcome.expiresAt] }
    case 'parked':
      return { state: 'parked', statement: park, values: parkValues(lease, outcome, now) }
    case 'retry': {
      const state = outcome.runAt > now ? 'scheduled' : 'queued'
      return { state, statement: repeat, values: [stateCode[state], outcome.runAt, errorText(outcome.error)] }
    }
    case 'crashed': {
      // Who has died alone goes behind those that have not.
      const since = outcome.crashes > 0 ? now : 0
      return {
        state: 'queued',
        statement: suspect,
        values: [outcome.crashes, since, errorText(outcome.error)],
      }
    }
    case 'returned':
      return { state: 'queued', statement: putBack, values: [outcome.alone ? 1 : 0] }
  }
}

function parkValues(
  lease: Lease,
  outcome: Extract<Outcome, { kind: 'parked' }>,
  now: number,
): SQLInputValue[] {
  const { reason, error, expiresAt } = outcome
  // Parked for anything else, it has not run.
  const hasRun = reason === 'poison' || reason === 'lost'
  const crashes = reason === 'poison' ? lease.crashes + 1 : lease.crashes
  return [reason, hasRun ? 1 : 0, crashes, errorText(error), now, expiresAt]
}

/** Stored in the commit that settles the parent, so a rerun parent cannot have stored them before. */
function addChildren(transaction: Transaction, children: readonly TaskMessage[], now: number): void {
  const [refusal] = enqueue(transaction, fieldsOf(children), now)
  if (refusal === undefined) return
  const name = children[refusal.index]?.name
  throw new TaskError(
    'CHILD_UNSTORABLE',
    `The task ${name} that it fired can't be stored: ${refusal.message}`,
  )
}

function unstorable(error: Error, now: number): Outcome {
  const message = `The outcome of this attempt can't be stored: ${error.message}`
  const code = codeOf(error)
  const stored = code === undefined ? { message } : { code, message }
  return { kind: 'failed', error: stored, expiresAt: now + keepSettledMs }
}

const held = `owner = NULL, lease = NULL WHERE seq = ? AND lease = ? AND state = ${stateCode.running}`
// What ends by itself is no suspect any more, and the workers that died under it are forgotten.
const ended = 'attempts = attempts + 1, suspect = 0, losses = 0'

const finish = `
  UPDATE tasks SET state = ${stateCode.done}, ${ended}, result = ?, error = NULL, settled_at = ?, expires_at = ?, ${held}`
const fail = `
  UPDATE tasks SET state = ${stateCode.failed}, ${ended}, failures = failures + 1, error = ?, settled_at = ?, expires_at = ?, ${held}`
const park = `
  UPDATE tasks SET state = ${stateCode.parked}, reason = ?, attempts = attempts + ?, suspect = 0, losses = 0, crashes = ?, error = ?,
    settled_at = ?, expires_at = ?, ${held}`
const repeat = `
  UPDATE tasks SET state = ?, run_at = ?, ${ended}, failures = failures + 1, error = ?, ${held}`
const suspect = `
  UPDATE tasks SET state = ${stateCode.queued}, attempts = attempts + 1, suspect = 1, crashes = ?, run_at = max(run_at, ?),
    error = ?, ${held}`
// As if it had not been taken.
const putBack = `
  UPDATE tasks SET state = ${stateCode.queued}, suspect = max(suspect, ?), started_at = NULL, ${held}`
