import { styleText } from 'node:util'

/** A structured log line as people like to read it: `[12:34:56.789] INFO: server: text {"callId":"…"}`, an error's stack below it. */
export function prettyLine(line: string, coloured: boolean): string {
  // Written by our own logger.
  const { level, time, role, msg, err, ...fields } = JSON.parse(line) as LogLine
  const { name, colour } = levels[level] ?? { name: String(level), colour: 'white' }
  const shownLevel = coloured ? styleText(colour, name, { validateStream: false }) : name
  const shownText = coloured
    ? styleText('cyan', `${role}: ${msg}`, { validateStream: false })
    : `${role}: ${msg}`
  const rest = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`
  return `[${clockTime(new Date(time))}] ${shownLevel}: ${shownText}${rest}\n${errorLines(err, '')}`
}

interface LogLine {
  readonly level: number
  readonly time: string
  readonly role: string
  readonly msg: string
  readonly err?: LoggedError
  readonly [field: string]: unknown
}

/** What secrets.ts makes of an error. */
interface LoggedError {
  readonly type?: string
  readonly message?: string
  readonly stack?: string
  readonly cause?: unknown
  readonly [field: string]: unknown
}

/** Pino's numbers. */
const levels: Readonly<
  Record<
    number,
    { readonly name: string; readonly colour: 'gray' | 'blue' | 'green' | 'yellow' | 'red' | 'bgRed' }
  >
> = {
  10: { name: 'TRACE', colour: 'gray' },
  20: { name: 'DEBUG', colour: 'blue' },
  30: { name: 'INFO', colour: 'green' },
  40: { name: 'WARN', colour: 'yellow' },
  50: { name: 'ERROR', colour: 'red' },
  60: { name: 'FATAL', colour: 'bgRed' },
}

/** By the clock of this machine's place. */
function clockTime(time: Date): string {
  const two = (number: number) => String(number).padStart(2, '0')
  const ms = String(time.getMilliseconds()).padStart(3, '0')
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${ms}`
}

function errorLines(err: unknown, before: string): string {
  if (typeof err !== 'object' || err === null) return err === undefined ? '' : `    ${before}${String(err)}\n`
  // Any object may stand under this name; only what is text is shown.
  const { type, message, stack, cause, ...fields } = err as LoggedError
  const text = typeof stack === 'string' ? stack : `${type ?? 'Error'}: ${message ?? ''}`
  const rest = Object.keys(fields).length === 0 ? '' : `\n${JSON.stringify(fields)}`
  const own = `${before}${text}${rest}`.replaceAll('\n', '\n    ')
  return `    ${own}\n${errorLines(cause, 'Caused by: ')}`
}
