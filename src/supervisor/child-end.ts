import { MacaronError } from '../core/errors.ts'

/** How a life ended. */
export interface ChildEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly wasReady: boolean
  /** From its start, or from `ready` where it got that far, in ms. */
  readonly livedMs: number
  /** Why, where the child has said so or could not be started. */
  readonly reason: string | undefined
  /** `stop` or `kill` had been called. */
  readonly asked: boolean
}

/** A child ended before it was ready. `exitCode` is what a process that can't go on without it should end with. */
export class ChildError extends MacaronError {
  readonly exitCode: number

  constructor(code: string, message: string, exitCode: number) {
    super(code, message)
    this.exitCode = exitCode
  }
}

/** It ended before it was ready by itself. */
export class EarlyEnd extends ChildError {
  /** What the child has said of it: on standard error too, unless the service's files are at fault (exit code 78). */
  readonly reason: string | undefined

  constructor(message: string, end: ChildEnd) {
    super('CHILD_FAILED', message, end.code ?? 1)
    this.reason = end.reason
  }
}

/** Exit code for a mistake in the service's files (EX_CONFIG of sysexits.h): starting again would not help. */
export const setupExitCode = 78

/** Exit code for what may go by itself (EX_TEMPFAIL of sysexits.h): the task store can't be used now. */
export const unavailableExitCode = 75

/** What a child has said of the service's files, which it leaves to its parent to tell. */
export function setupReason({ code, reason }: Pick<ChildEnd, 'code' | 'reason'>): string | undefined {
  return code === setupExitCode ? reason : undefined
}

/** The error for a child that ended before it was ready. */
export function endedEarly(name: string, end: ChildEnd): EarlyEnd {
  const why = end.reason === undefined ? '; its own output says why' : `: ${end.reason}`
  return new EarlyEnd(`The ${name} ended before it was ready (${describeEnd(end)})${why}`, end)
}

/** An end in few words: `signal SIGKILL`, `exit code 1`. */
export function describeEnd(end: Pick<ChildEnd, 'code' | 'signal'>): string {
  if (end.signal !== null) return `signal ${end.signal}`
  return end.code === null ? 'not started' : `exit code ${end.code}`
}
