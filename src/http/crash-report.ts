import type { RequestSnapshot } from '../core/context.ts'

/** What is told to `errorReporter` about a reply of 500 or more: enough to find the fault, no credentials. */
export interface CrashReport {
  /** `POST /signup: connection refused`. */
  readonly title: string
  /** What was really thrown, with stack and cause. */
  readonly error: Error
  readonly errorId: string
  readonly callId: string
  readonly startedAt: Date
  readonly ms: number
  readonly response: {
    readonly status: number
    readonly error: string
    readonly description: string
    readonly userMessage: string | undefined
  }
  readonly user: { readonly id: string | undefined; readonly isAuthenticated: boolean }
  readonly server: { readonly name: string; readonly version: string; readonly env: string }
  readonly operation: { readonly api: string; readonly id: string | undefined }
  readonly request: RequestSnapshot
}
