import { randomUUID } from 'node:crypto'
import { currentContext } from './context.ts'
import { asError, MacaronError } from './errors.ts'
import { emit } from './events.ts'
import type { Reporter } from './reporter.ts'

/** What a service says by itself about what went wrong, without failing for it. */

export interface ReportOptions {
  /** What was caught. Default: an error made here, whose stack says where it was reported. */
  readonly error?: unknown
  /** Whatever helps: plain data, of which values under telling names (`password`, `token`) are hidden. */
  readonly details?: unknown
}

let installed: Reporter | undefined

/** Makes a reporter the one that `reportError` tells. */
export function installReporter(reporter: Reporter | undefined): void {
  installed = reporter
}

/**
 * Logs an error and tells the service's `errorReporter`, with the request and user of the current context; the request or task goes on. Gives the
 * id under which it is logged. Never throws. PyMacaron's `report_error`.
 */
export function reportError(title: string, options?: ReportOptions): string {
  return report({ level: 'error', by: reportError }, title, options)
}

/** The same as a warning. PyMacaron's `report_warning`. */
export function reportWarning(title: string, options?: ReportOptions): string {
  return report({ level: 'warning', by: reportWarning }, title, options)
}

interface Kind {
  readonly level: 'error' | 'warning'
  /** What the service has called. */
  readonly by: (title: string, options?: ReportOptions) => string
}

function report({ level, by }: Kind, title: string, { error, details }: ReportOptions = {}): string {
  const context = currentContext()
  const errorId = randomUUID()
  const cause = error === undefined ? reported(title, by) : asError(error)
  const { callId, user, task } = context ?? {}
  emit('service.report', { level, title, callId, userId: user?.sub, taskId: task?.id, errorId, error: cause })
  installed?.report({ title: String(title), error: cause, errorId, level, details }, context)
  return errorId
}

/** Its stack begins where the service has reported it. */
function reported(title: string, by: Kind['by']): MacaronError {
  const error = new MacaronError('REPORTED', title)
  Error.captureStackTrace(error, by)
  return error
}
