/** What the checks find, printed the way compilers print theirs. */
export interface Fault {
  readonly path: string
  /** From 1. */
  readonly line: number
  readonly message: string
}

/** A fault as one line, `path:line: message`. */
export function describeFault(fault: Fault): string {
  return `${fault.path}:${fault.line}: ${fault.message}`
}

/** Prints the faults, a line each, and sets the exit code where there are any. */
export function report(check: string, faults: readonly Fault[]): void {
  for (const fault of faults) console.error(describeFault(fault))
  if (faults.length === 0) return
  console.error(`${check}: ${faults.length} fault${faults.length === 1 ? '' : 's'}`)
  process.exitCode = 1
}
