/**
 * What is told to a service's `errorReporter`: the groups and names of PyMacaron's crash reports, so that whatever reads those goes on reading
 * ours. Credentials never stand in it: of the headers only those of `context_headers` do, and values under telling names are hidden.
 */
export interface ReportData {
  /** The one the caller got, and the log line has. */
  readonly error_id: string
  /** `fatal`: a request answered with 500 or more, or a task that has failed. `error` and `warning`: said by the service, or a slow call. */
  readonly level: 'fatal' | 'error' | 'warning'
  readonly is_fatal_error: boolean
  /** The stack, with those of its causes. */
  readonly trace: string
  /** ISO 8601; `start` is when the request or attempt began. */
  readonly time: { readonly start: string; readonly end: string; readonly microsecs: number }
  /** What the caller got; absent for tasks and for what the service says itself. */
  readonly response?: ReportResponse
  readonly user: ReportUser
  readonly server: ReportServer
  /** Absent where no request stands behind it, as in scripts. In a task it is the one that fired it. */
  readonly request?: ReportRequest
  readonly task?: ReportTask
  /** What the service gave to `reportError` or `reportWarning`. */
  readonly details?: unknown
}

export interface ReportResponse {
  readonly status: number
  readonly error_code?: string | undefined
  readonly error_description?: string | undefined
  readonly user_message?: string | undefined
}

export interface ReportUser {
  readonly id: string | undefined
  /** Whether a token was verified; `default_user_id` alone is nobody's proof. */
  readonly is_auth: boolean
  readonly ip?: string | undefined
  /** `X-Forwarded-For`, where `context_headers` names it. */
  readonly forwarded_ip?: string | undefined
  readonly user_agent?: string | undefined
  readonly language?: string | undefined
  /** These, where the token has such claims. */
  readonly name?: unknown
  readonly email?: unknown
  readonly is_expert?: unknown
  readonly is_admin?: unknown
  readonly is_support?: unknown
  readonly is_tester?: unknown
}

export interface ReportServer {
  /** The machine's name. */
  readonly fqdn: string
  readonly port: number
  readonly api_name: string
  readonly api_version: string
  readonly env: string
}

export interface ReportRequest {
  /** The call id. */
  readonly id: string
  readonly url: string
  /** Without the query. */
  readonly base_url: string
  /** The spec's template, such as `/accounts/{id}`. */
  readonly path: string
  readonly method: string
  readonly params: unknown
  readonly query: unknown
  readonly headers: unknown
  /** Where it has at most 16 KiB. */
  readonly body?: unknown
}

export interface ReportTask {
  readonly id: string
  readonly name: string
  /** 1 for the first run. */
  readonly attempt: number
  /** How it ended: `failed` or `parked`; absent for what the task says while it runs. */
  readonly outcome?: string
}

/** Told of every failure that nobody was meant to see. `title` reads `helloworld.api.do_crash(): what went wrong`. */
export type ErrorReporter = (title: string, data: ReportData, error: Error) => void | Promise<void>
