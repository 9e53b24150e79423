import { TaskError } from '../core/errors.ts'
import { attemptContext, readContext } from '../tasks/context-message.ts'
import type { StoredError } from '../tasks/message.ts'
import { dropScope } from '../tasks/staging.ts'
import type { AttemptTools } from './attempt.ts'
import type { ParkedTask } from './channel.ts'

/** Tells the service's reporter of a task that was parked because its process has died, in the context it was fired in. Never throws. */
export function reportParked(parked: ParkedTask, tools: Pick<AttemptTools, 'runtime' | 'reporter'>): void {
  const { id, name } = parked.message
  tools.reporter?.report(
    {
      title: `${name}()`,
      error: errorOf(parked.error),
      errorId: id,
      level: 'fatal',
      task: { id, name, attempt: parked.attempt, outcome: 'parked' },
    },
    contextOf(parked, tools),
  )
}

/** Undefined where it can't be read or trusted: then the task is reported with its name alone. */
function contextOf({ message, attempt }: ParkedTask, { runtime }: Pick<AttemptTools, 'runtime'>) {
  try {
    const opened = readContext(runtime.seal.open(message), runtime.models)
    const context = attemptContext(opened, { id: message.id, name: message.name, attempt })
    // No attempt will end that could release what a reporter fires.
    dropScope(context.scope)
    return context
  } catch {
    return undefined
  }
}

function errorOf({ code, message, stack }: StoredError): Error {
  const error = new TaskError(code ?? 'EXECUTOR_DIED', message)
  if (stack !== undefined) error.stack = stack
  return error
}
