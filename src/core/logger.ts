import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'
import { PinoPretty } from 'pino-pretty'

export interface LoggerOptions {
  readonly level: string
  /** `json`: a document a line. `pretty`: for people. */
  readonly format: 'json' | 'pretty'
  /** `server`, `worker`, `executor 1` …: stands in every line. */
  readonly role: string
}

/** Paths that may hold a secret whoever logs them. */
const secrets = [
  'token',
  'authorization',
  'cookie',
  'password',
  'secret',
  'headers',
  '*.token',
  '*.authorization',
  '*.cookie',
  '*.password',
  '*.secret',
]

/** The logger of a process: structured lines on standard output, written at once so that none is lost when the process dies. */
export function openLogger({ level, format, role }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: { role },
      redact: { paths: secrets, censor: '[hidden]' },
      timestamp: stdTimeFunctions.isoTime,
    },
    format === 'pretty' ? prettyStream() : pino.destination({ fd: 1, sync: true }),
  )
}

function prettyStream(): DestinationStream {
  return PinoPretty({
    sync: true,
    singleLine: true,
    colorize: process.stdout.isTTY,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname,role',
    messageFormat: '{role}: {msg}',
  })
}
