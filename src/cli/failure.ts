import { describeFailure, SetupError } from '../core/errors.ts'
import { writeError } from '../core/standard-output.ts'
import { ChildError, setupExitCode } from '../supervisor/child-end.ts'

/** Prints what went wrong and sets the exit code: 78 (EX_CONFIG of sysexits.h) for a mistake in the service's files, else 1. */
export function reportFailure(error: unknown): void {
  if (error instanceof ChildError) {
    // What is wrong was said by the child, or by its parent for it.
    process.exitCode = error.exitCode
    return
  }
  writeError(`${describeFailure(error)}\n`)
  process.exitCode = error instanceof SetupError ? setupExitCode : 1
}
