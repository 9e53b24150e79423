import { modelEntryOf } from '../spec/models.ts'

/** A model that says by itself that it is an error, as handlers of PyMacaron return them. */
export interface ErrorModel {
  readonly status: number
  readonly error: unknown
  readonly error_description: unknown
}

/** Whether a handler has returned an instance of its spec's model `Error` with a status of 400 or more: that is the reply's status then. */
export function isErrorModel(value: unknown): value is ErrorModel {
  // Nearly every reply ends here: what costs least comes first.
  if (typeof value !== 'object' || value === null || !('status' in value)) return false
  const { status } = value
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 400 || status > 599) return false
  return 'error' in value && 'error_description' in value && modelEntryOf(value)?.name === 'Error'
}
