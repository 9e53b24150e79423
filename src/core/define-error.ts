import { MacaronError, type MacaronErrorOptions } from './errors.ts'

/** A class of errors that a service has defined for its callers. */
export interface DefinedError {
  /** `message`: instead of the defined one; `userMessage` and `cause` as in MacaronErrorOptions. */
  new (message?: string, options?: Omit<MacaronErrorOptions, 'status'>): MacaronError
  readonly code: string
  readonly status: number
}

/**
 * Defines an error of the service's own, as PyMacaron's `add_error` did: `const NoFunds = defineError("NO_FUNDS", 402, "The account is empty")`, then
 * `throw new NoFunds()` or `return new NoFunds('Only 3 € are left')`. The caller gets error JSON with its code, status and message, whatever the status.
 *
 * `code`: capitals, digits and underscores; callers rely on it. `status`: 400 to 599. `message`: what the caller's developer reads.
 * @throws MacaronError `BAD_ERROR`.
 */
export function defineError(code: string, status: number, message: string): DefinedError {
  if (!/^[A-Z][A-Z0-9_]*$/.test(code)) {
    throw badError(`the code must be capitals, digits and underscores, such as NO_FUNDS, not ${code}`)
  }
  if (!Number.isInteger(status) || status < 400 || status > 599) {
    throw badError(`the status of ${code} must be a whole number from 400 to 599, not ${status}`)
  }
  const defined = class extends MacaronError {
    static readonly code = code
    static readonly status = status

    constructor(ownMessage?: string, options: Omit<MacaronErrorOptions, 'status'> = {}) {
      super(code, ownMessage ?? message, { ...options, status })
    }
  }
  // What logs and stacks call it: NoFunds.
  const words = code.split('_').map((word) => word.charAt(0) + word.slice(1).toLowerCase())
  Object.defineProperty(defined, 'name', { value: words.join('') })
  return defined
}

function badError(what: string): MacaronError {
  return new MacaronError('BAD_ERROR', `defineError was called with what can't work: ${what}`)
}
