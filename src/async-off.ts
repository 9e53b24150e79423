import type { Config } from './config.ts'
import { SetupError } from './core/errors.ts'

/** The error for a use of tasks that can't work without `with_async: true`. */
export function asyncOff(config: Config): SetupError {
  return new SetupError('ASYNC_OFF', [
    { file: config.file, message: 'This service runs no tasks and has no task store: set with_async: true' },
  ])
}
