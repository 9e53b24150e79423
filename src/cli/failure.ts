import { codeOf, MacaronError, SetupError } from '../core/errors.ts'

/** Exit code for a mistake in the service's files or the machine's set-up (EX_CONFIG of sysexits.h). */
export const setupExit = 78

/** Prints what went wrong, without a stack where the message says it all, and sets the exit code. */
export function reportFailure(error: unknown): void {
  process.stderr.write(`${failureText(error)}\n`)
  process.exitCode = error instanceof SetupError ? setupExit : 1
}

/** A failure as a person should read it. */
export function failureText(error: unknown): string {
  if (error instanceof MacaronError) return `${error.message}\n[${error.code}]`
  const code = codeOf(error)
  if (error instanceof Error) return `${error.stack ?? error.message}${code === undefined ? '' : `\n[${code}]`}`
  return String(error)
}
