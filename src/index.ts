/** The public names of Macaron. */
export { config } from './config.ts'
export {
  contextValue,
  currentCallId,
  currentRequest,
  currentTask,
  currentToken,
  currentUser,
  type RequestSnapshot,
  type RunningTask,
  setContext,
  type User,
} from './core/context.ts'
export { type DefinedError, defineError } from './core/define-error.ts'
export type { Duration } from './core/duration.ts'
export {
  MacaronError,
  type MacaronErrorOptions,
  MessageError,
  RequestError,
  SetupError,
  StoreError,
  TaskError,
} from './core/errors.ts'
export { Reply, type ReplyHeaders, reply } from './http/reply.ts'
export { type OpenedService, type OpenServiceOptions, openService } from './open-service.ts'
export { defineModels } from './spec/model-registry.ts'
export { Model, ModelError } from './spec/models.ts'
export type { OwnReply, Result } from './spec/result.ts'
export { asyncTask, type Fire, type Task } from './tasks/async-task.ts'
export { TaskHandle, type TaskStatus, taskHandle } from './tasks/handle.ts'
export type { Backoff, FireOptions, TaskOptions } from './tasks/options.ts'
export type { ParkReason, TaskState } from './tasks/states.ts'
