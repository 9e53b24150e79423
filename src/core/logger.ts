import { createRequire } from 'node:module'
import { isatty } from 'node:tty'
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'
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
    { write: format === 'pretty' ? prettily() : writeOut },
  )
}

function prettily(): DestinationStream['write'] {
  // Loaded here and not above: production does without it, and each process would pay 16 ms. The type is the module's own.
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty')
  // Not pino-pretty's own stream, which writes a turn of the loop later: what a dying process says last would be lost.
  const pretty = prettyFactory({
    singleLine: true,
    colorize: isatty(1),
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname,role',
    messageFormat: '{role}: {msg}',
  })
  return (line) => writeOut(pretty(line) ?? '')
}
