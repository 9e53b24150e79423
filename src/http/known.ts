import { MacaronError } from '../core/errors.ts'

/** What an earlier stage has set. The order of the stages in pipeline.ts is what makes it known. */
export function known<T>(value: T | undefined): T {
  if (value !== undefined) return value
  throw new MacaronError('STAGE_ORDER', 'A stage of the HTTP pipeline ran before the one it builds on')
}
