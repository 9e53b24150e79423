import { RequestError } from '../../core/errors.ts'

/** The refusal of a form that can't be read. */
export function unreadable(what: string): RequestError {
  return new RequestError('FORM_UNREADABLE', `The form can't be read: ${what}`, { status: 400 })
}
