import { isatty } from 'node:tty'
import { type Logger, pino, stdTimeFunctions } from 'pino'
import { prettyLine } from './pretty.ts'
import { withoutSecrets, withoutTokens } from './secrets.ts'
import { writeOut } from './standard-output.ts'

export interface LoggerOptions {
  /** `trace`, `debug`, `info`, `warn`, `error` or `fatal`. */
  readonly level: string
  /** `json`: a document a line. `pretty`: for people. */
  readonly format: 'json' | 'pretty'
  /** `server`, `worker`, `executor 1` …: stands in every line. */
  readonly role: string
}

/** The logger of a process: structured lines on standard output, written at once so that none is lost when the process dies. */
export function openLogger({ level, format, role }: LoggerOptions): Logger {
  const coloured = isatty(1)
  return pino(
    {
      level,
      base: { role },
      formatters: { log: withoutSecrets },
      // Errors are among the fields that have been copied already.
      serializers: { err: (error: unknown) => error },
      hooks: { streamWrite: withoutTokens },
      timestamp: stdTimeFunctions.isoTime,
    },
    { write: format === 'pretty' ? (line) => writeOut(prettyLine(line, coloured)) : writeOut },
  )
}
