import { modelEntryOf } from '../spec/models.ts'

/** A model that says by itself that it is an error, as handlers of PyMacaron return them. */
export interface ErrorModel {
  readonly status: number
  readonly error: unknown
  readonly error_description: unknown
}

/** Whether a handler has returned an instance of its spec's model `Error` with a status of 400 or more: that is the reply's status then. */
export function isErrorModel(value: unknown): value is ErrorModel {
  if (typeof value !== 'object' || value === null || modelEntryOf(value)?.name !== 'Error') return false
  if (!('status' in value && 'error' in value && 'error_description' in value)) return false
  const { status } = value
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599
}
