import { MacaronError, TaskError } from '../core/errors.ts'
import type { TaskStanding } from '../engines/engine.ts'
import { type EncodeOptions, encode } from './codec.ts'

/**
 * Results are stored in the codec's form. A task whose result can't travel is done all the same (it may return a driver's
 * response object nobody waits for); what is stored then says why, and `result()` throws that.
 */
export function encodeResult(result: unknown, options: Omit<EncodeOptions, 'what'>): string {
  try {
    return encode(result, { ...options, what: 'result' })
  } catch (error) {
    if (error instanceof MacaronError) return unstoredHead + error.message
    throw error
  }
}

/** No JSON text begins like this, so no result can be taken for it. */
const unstoredHead = '!'

/** Why a result was not stored, or undefined where it was. */
export function unstoredReason(stored: string): string | undefined {
  return stored.startsWith(unstoredHead) ? stored.slice(unstoredHead.length) : undefined
}

/** The error for waiting on a task that has ended without a result. */
export function withoutResult({ message, state, reason, error, attempts }: TaskStanding): TaskError {
  const task = `Task ${message.name} (${message.id})`
  const why = error === undefined ? '' : `: ${error.message}`
  const cause = error === undefined ? {} : { cause: error }
  switch (state) {
    case 'failed':
      return new TaskError('TASK_FAILED', `${task} failed in attempt ${attempts}${why}`, cause)
    case 'cancelled':
      return new TaskError('TASK_CANCELLED', `${task} was cancelled`)
    case 'parked':
      return new TaskError(
        'TASK_PARKED',
        `${task} is parked as ${reason}${why}. Retry it with: macaron tasks retry ${message.id}`,
        cause,
      )
    default:
      return new TaskError('RESULT_NOT_STORED', `${task} is ${state}, but the store holds no result of it`)
  }
}
