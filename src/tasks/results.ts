import { MacaronError, TaskError } from '../core/errors.ts'
import type { TaskRecord } from '../engines/engine.ts'
import { type EncodeOptions, encode } from './codec.ts'

/**
 * Results are stored in the codec's form. A task whose result can't travel is done all the same (it may return a driver's
 * response object nobody waits for); what is stored then says why, and `result()` throws that.
 */
export function encodeResult(result: unknown, options: Omit<EncodeOptions, 'what'>): string {
  try {
    return encode(result, { ...options, what: 'result' })
  } catch (error) {
    if (error instanceof MacaronError) return unstoredHead + JSON.stringify(error.message)
    throw error
  }
}

/** No JSON text begins like this, so no result can be taken for it. */
const unstoredHead = '!'

/** Why a result was not stored, or undefined where it was. */
export function unstoredReason(stored: string): string | undefined {
  return stored.startsWith(unstoredHead) ? String(JSON.parse(stored.slice(unstoredHead.length))) : undefined
}

/** The error for waiting on a task that has ended without a result. */
export function describeFailure(record: TaskRecord): TaskError {
  const { message, state, reason, error, attempts } = record
  const task = `Task ${message.name} (${message.id})`
  const why = error === undefined ? '' : `: ${error.message}`
  if (state === 'failed')
    return new TaskError('TASK_FAILED', `${task} failed after ${attempts} attempts${why}`, { cause: error })
  if (state === 'cancelled') return new TaskError('TASK_CANCELLED', `${task} was cancelled`)
  return new TaskError(
    'TASK_PARKED',
    `${task} is parked as ${reason ?? state}${why}. Retry it with: macaron tasks retry ${message.id}`,
    { cause: error },
  )
}
