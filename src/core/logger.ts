import { isatty } from 'node:tty'
import { type Logger, pino, stdTimeFunctions } from 'pino'
import { prettyLine } from './pretty.ts'
import { withoutTokens } from './secrets.ts'
import { shortened } from './shortened.ts'
import { writeOut } from './standard-output.ts'
import { withoutSecrets } from './without-secrets.ts'

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
      hooks: {
        streamWrite: withoutTokens,
        logMethod([fields, text], log) {
          log.call(this, fields, typeof text === 'string' ? shortened(text, longestMessage) : text)
        },
      },
      timestamp: stdTimeFunctions.isoTime,
    },
    { write: format === 'pretty' ? (line) => writeOut(prettyLine(line, coloured)) : writeOut },
  )
}

/** In characters. The message of an error that is longer is in no line as a whole. */
const longestMessage = 16_384
