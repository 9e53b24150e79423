import { show } from './show.ts'

/**
 * Every error Macaron throws. Each has a stable `code`, an HTTP status for when it ends a request, and keeps what caused
 * it in `cause`. Messages say what was wrong, where, and what to do.
 */

export interface MacaronErrorOptions extends ErrorOptions {
  /** HTTP status when the error ends a request. Default 500. */
  readonly status?: number
  /** What may be shown to the end user of the calling application. Default: nothing. */
  readonly userMessage?: string
}

/** The base of all of Macaron's errors. `code` never changes between versions; the message may. */
export class MacaronError extends Error {
  readonly code: string
  readonly status: number
  readonly userMessage: string | undefined

  constructor(code: string, message: string, options: MacaronErrorOptions = {}) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    this.status = options.status ?? 500
    this.userMessage = options.userMessage
  }
}

/** A mistake in the service's files: configuration, spec, bindings, tasks. Thrown at start, with file and line where known. */
export class SetupError extends MacaronError {
  readonly faults: readonly Fault[]

  constructor(code: string, faults: readonly Fault[]) {
    super(code, faults.map(describeFault).join('\n'))
    this.faults = faults
  }
}

/** One mistake in a file of the service. */
export interface Fault {
  readonly message: string
  readonly file?: string
  /** From 1. */
  readonly line?: number
  /** From 1, in UTF-16 units as editors count. Only where there is a line. */
  readonly column?: number
}

/** A fault as one line, the way compilers print theirs: `file:line:column: message`. */
export function describeFault({ file, line, column, message }: Fault): string {
  return (
    [file, line, column].filter((part) => part !== undefined).join(':') +
    (file === undefined ? message : `: ${message}`)
  )
}

/** The caller's request can't be served as it is; ends the request with `status`, a 4xx. */
export class RequestError extends MacaronError {
  constructor(code: string, message: string, options: MacaronErrorOptions & { readonly status: number }) {
    super(code, message, options)
  }
}

/** A use of the task API that can't work: an argument that can't travel, a fire outside a scope, an unknown option. */
export class TaskError extends MacaronError {}

/** The task store can't do what was asked: full, unwritable, corrupt, too new, in use elsewhere. Ends a request with 503. */
export class StoreError extends MacaronError {
  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(code, message, { ...options, status: 503 })
  }
}

/** A stored message that can't be trusted or read; `reason` is the reason its task is parked with. */
export class MessageError extends MacaronError {
  readonly reason: 'refused' | 'unknown_key' | 'undecodable' | 'unknown_task'

  constructor(reason: MessageError['reason'], message: string, options: ErrorOptions = {}) {
    super(reason.toUpperCase(), message, options)
    this.reason = reason
  }
}

/** The `code` of any thrown value: Macaron's, Node's, or none. Never throws. */
export function codeOf(error: unknown): string | undefined {
  try {
    if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
    return typeof error.code === 'string' ? error.code : undefined
  } catch {
    // A getter or proxy that throws: user code may throw anything.
    return undefined
  }
}

/** Any thrown value as an Error, so that callers can rely on a message and a stack. Never throws. */
export function asError(thrown: unknown): Error {
  if (isError(thrown)) return thrown
  return new MacaronError('NOT_AN_ERROR', `A value that is no Error was thrown: ${show(thrown)}`)
}

/** A failure as a person should read it: Macaron's own errors without a stack, since their message says it all. */
export function describeFailure(thrown: unknown): string {
  const error = asError(thrown)
  if (error instanceof MacaronError) return `${error.message}\n[${error.code}]`
  const code = codeOf(error)
  const text = error.stack ?? error.message
  return code === undefined ? text : `${text}\n[${code}]`
}

/** Of this or another realm, or made the old way with Error.prototype. */
function isError(thrown: unknown): thrown is Error {
  try {
    return Error.isError(thrown) || thrown instanceof Error
  } catch {
    return false
  }
}
