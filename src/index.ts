/** The public names of Macaron. */
export { asSystem, asUser } from './acting.ts'
export type { SignOptions } from './auth/tokens.ts'
export {
  type CallOptions,
  type ClientCall,
  type ClientReply,
  type Clients,
  type ClientTypes,
  client,
} from './clients/client.ts'
export {
  ClientBadReplyError,
  ClientConnectionError,
  ClientError,
  ClientReplyError,
  ClientTimeoutError,
} from './clients/errors.ts'
export type { SentFile } from './clients/files.ts'
export { config } from './config.ts'
export {
  contextValue,
  currentCallId,
  currentRequest,
  currentSignal,
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
export { type Log, log } from './core/log.ts'
export type { ErrorReporter, ReportData } from './core/report.ts'
export { type ReportOptions, reportError, reportWarning } from './core/reporting.ts'
export { UploadedFile } from './core/uploaded-file.ts'
export {
  defineService,
  type ServiceDefinition,
  type ServiceProcess,
  type ServiceRole,
} from './define-service.ts'
export type { ErrorFormat } from './http/error-format.ts'
export type { ErrorBody } from './http/errors.ts'
export { Reply, type ReplyHeaders, reply } from './http/reply.ts'
export { type OpenedService, type OpenServiceOptions, openService } from './open-service.ts'
export { type ApiModelTypes, type Apis, apis } from './spec/apis.ts'
export { defineModels } from './spec/model-registry.ts'
export { Model, ModelError } from './spec/models.ts'
export type { OwnReply, RawReply, Result } from './spec/result.ts'
export { asyncTask, type Fire, type Task } from './tasks/async-task.ts'
export { TaskHandle, type TaskStatus, taskHandle } from './tasks/handle.ts'
export type { Backoff, FireOptions, TaskOptions } from './tasks/options.ts'
export type { ParkReason, TaskState } from './tasks/states.ts'
export { generateToken } from './tokens.ts'
