import { currentContext } from './context.ts'
import { type Events, emit } from './events.ts'

/**
 * The service's own log lines, in the format and level of the configuration, each with the call id, user and task of the current context. Fields under
 * telling names (`password`, `token`) are hidden.
 */
export const log: Log = {
  debug: (message, fields) => say('debug', message, fields),
  info: (message, fields) => say('info', message, fields),
  warn: (message, fields) => say('warn', message, fields),
  error: (message, fields) => say('error', message, fields),
}

export interface Log {
  debug(message: string, fields?: object): void
  info(message: string, fields?: object): void
  warn(message: string, fields?: object): void
  error(message: string, fields?: object): void
}

function say(level: Events['service.log']['level'], message: string, fields: object | undefined): void {
  const { callId, user, task } = currentContext() ?? {}
  emit('service.log', { level, message, fields, callId, userId: user?.sub, taskId: task?.id })
}
