import type { Context, RequestSnapshot, User } from './context.ts'
import type {
  ReportData,
  ReportRequest,
  ReportResponse,
  ReportServer,
  ReportTask,
  ReportUser,
} from './report.ts'
import { isSecretName, withoutTokens } from './secrets.ts'
import { shortened } from './shortened.ts'
import { shownUrl } from './shown-url.ts'
import { type Told, withoutSecrets } from './without-secrets.ts'

/** What failed, by those who know. */
export interface Failure {
  /** `helloworld.api.do_crash()`, or what the service says. */
  readonly title: string
  readonly error: Error
  readonly errorId: string
  readonly level: ReportData['level']
  /** On the monotonic clock, in ms. */
  readonly startedAt?: number | undefined
  readonly response?: ReportResponse
  readonly task?: ReportTask
  readonly details?: unknown
}

/** A failure and the context it happened in, as the service's reporter gets it. */
export function reportData(failure: Failure, context: Context | undefined, server: ReportServer): ReportData {
  const { error, errorId, level, response, task = taskOf(context), details } = failure
  const request = context?.request
  return {
    error_id: errorId,
    level,
    is_fatal_error: level === 'fatal',
    trace: traceOf(error),
    time: timeOf(failure.startedAt ?? context?.startedAt),
    ...(response === undefined ? {} : { response }),
    user: userOf(context, request),
    server,
    ...(request === undefined || context === undefined
      ? {}
      : { request: requestOf(request, context.callId) }),
    ...(task === undefined ? {} : { task }),
    ...(details === undefined ? {} : { details: withoutSecrets({ details }, toldOf(request)).details }),
  }
}

function taskOf(context: Context | undefined): ReportTask | undefined {
  const task = context?.task
  return task === undefined ? undefined : { id: task.id, name: task.name, attempt: task.attempt }
}

function timeOf(startedAt = performance.now()): ReportData['time'] {
  const now = Date.now()
  const ms = performance.now() - startedAt
  return {
    start: new Date(now - ms).toISOString(),
    end: new Date(now).toISOString(),
    microsecs: Math.round(ms * 1000),
  }
}

function userOf(context: Context | undefined, request: RequestSnapshot | undefined): ReportUser {
  return {
    id: context?.user?.sub,
    is_auth: context?.user !== undefined && context.assumed !== true,
    ...(request === undefined
      ? {}
      : {
          ip: request.ip,
          forwarded_ip: request.headers['x-forwarded-for'],
          user_agent: request.userAgent,
          language: request.language,
        }),
    ...claimsOf(context?.user),
  }
}

/** Of the token's claims only those that PyMacaron's reports had: whatever else a token says need not go to a third party. */
const reportedClaims = ['name', 'email', 'is_expert', 'is_admin', 'is_support', 'is_tester']

function claimsOf(user: User = {}): Partial<ReportUser> {
  const given = reportedClaims.filter((claim) => user[claim] !== undefined)
  return Object.fromEntries(given.map((claim) => [claim, user[claim]]))
}

function requestOf(request: RequestSnapshot, callId: string): ReportRequest {
  const { method, path, params, query, headers, body } = request
  const told = toldOf(request)
  const url = shownUrl(request.url, path, told.isSecret)
  const safe = withoutSecrets({ params, query, sent: headers, body }, told)
  return {
    id: callId,
    url,
    base_url: url.split(/[?#]/, 1)[0] ?? '',
    path,
    method,
    params: safe.params,
    query: safe.query,
    headers: safe.sent,
    ...(body === undefined ? {} : { body: safe.body }),
  }
}

/** By their names, or as the operation's spec says. */
function toldOf(request: RequestSnapshot | undefined): Told {
  const { sensitive = [] } = request ?? {}
  const isSecret = (name: string) => isSecretName(name) || sensitive.includes(name)
  return { isSecret, text: (text) => withoutTokens(text, isSecret) }
}

/** More help nobody, and an error may be its own cause. */
const mostCauses = 5
/** Of each, in characters: its message may be megabytes. */
const longestTrace = 16_384

function traceOf(error: Error): string {
  const traces: string[] = []
  let next: unknown = error
  while (Error.isError(next) && traces.length <= mostCauses) {
    traces.push(shortened(String(next.stack ?? next.message), longestTrace))
    next = next.cause
  }
  return withoutTokens(traces.join('\nCaused by: '))
}
