import type { StoredError, TaskMessage } from '../../tasks/message.ts'
import { type ParkReason, parkReasons } from '../../tasks/states.ts'

/**
 * What a BullMQ job holds of ours: the message in `data`, the bookkeeping in `progress`. Others can write Redis too, so whatever is read here may be
 * anything.
 */

/** The message but for id and name, which the job has itself; what is usual is left out. */
export function dataOf(message: TaskMessage): string {
  const { queue, priority, runAt, firedAt, atMostOnce, args, options, context } = message
  // What is undefined is no part of a JSON text.
  return JSON.stringify({
    firedAt,
    queue: queue === usual.queue ? undefined : queue,
    priority: priority === usual.priority ? undefined : priority,
    runAt: runAt === usual.runAt ? undefined : runAt,
    atMostOnce: atMostOnce ? true : undefined,
    args,
    options: options === usual.options ? undefined : options,
    context,
  })
}

const usual = { queue: 'default', priority: 0, runAt: 0, atMostOnce: false, options: '{}' }

/** The message of a job, or undefined where its data is not what we write. */
export function messageOf(id: string, name: string, data: string): TaskMessage | undefined {
  const stored = record(parsed(data))
  if (stored === undefined) return undefined
  const message = { ...usual, ...stored, id, name }
  return isMessage(message) ? message : undefined
}

/** Stands in lists for the message of a job that holds none. */
export function noMessage(id: string, name: string): TaskMessage {
  return { ...usual, id, name, firedAt: 0, args: '[]', context: '' }
}

export function isMessage(value: unknown): value is TaskMessage {
  const message = record(value)
  if (message === undefined) return false
  return (
    texts.every((key) => typeof message[key] === 'string') &&
    numbers.every((key) => typeof message[key] === 'number') &&
    typeof message.atMostOnce === 'boolean'
  )
}

const texts = ['id', 'name', 'queue', 'args', 'options', 'context'] as const
const numbers = ['priority', 'runAt', 'firedAt'] as const

/** What an engine counts about a task, as the move that wrote it left it. */
export interface Ledger {
  /** BullMQ's count of moves (`atm`) that this belongs to. */
  readonly after: number
  /** Runs that have ended, crashes included. */
  readonly attempts: number
  readonly failures: number
  readonly crashes: number
  readonly suspect?: true
  readonly reason?: ParkReason
  /** The error's code; its message and stack are in the fields BullMQ has for it. */
  readonly code?: string
  /** Of the lease that wrote it. */
  readonly token?: string
  /** The outcome is in the job's `intent`, and has only to be carried out. */
  readonly intent?: true
}

export const nothingYet: Ledger = { after: 0, attempts: 0, failures: 0, crashes: 0 }

/** Reads `progress`. Undefined where an operator's retry has begun a new count since, and where it isn't ours. */
export function ledgerOf(progress: unknown, moves: number): Ledger | undefined {
  const ledger = record(progress)
  if (ledger === undefined || ledger.after !== moves) return undefined
  const { attempts, failures, crashes, suspect, intent } = ledger
  return {
    after: moves,
    attempts: count(attempts),
    failures: count(failures),
    crashes: count(crashes),
    ...(suspect === true ? { suspect } : {}),
    ...(intent === true ? { intent } : {}),
    ...reasonOf(ledger.reason),
    ...(typeof ledger.code === 'string' ? { code: ledger.code } : {}),
    ...(typeof ledger.token === 'string' ? { token: ledger.token } : {}),
  }
}

/** An outcome with children, written onto its parent before it is carried out. */
export interface Intent {
  readonly result: string
  readonly children: readonly TaskMessage[]
  readonly expiresAt: number
}

export function intentOf(text: string | null): Intent | undefined {
  const intent = record(parsed(text ?? ''))
  if (intent === undefined) return undefined
  const { result, children, expiresAt } = intent
  if (typeof result !== 'string' || typeof expiresAt !== 'number') return undefined
  if (!Array.isArray(children) || !children.every(isMessage)) return undefined
  return { result, children, expiresAt }
}

/** An error in the fields that BullMQ keeps one in, so that its tools show it. */
export function errorFields({ message, stack }: StoredError): Readonly<Record<string, string>> {
  return { failedReason: message, stacktrace: JSON.stringify(stack === undefined ? [] : [stack]) }
}

export function errorOf(
  reason: string | undefined,
  stacktrace: string | undefined,
  code: string | undefined,
): StoredError | undefined {
  if (reason === undefined) return undefined
  const traces = parsed(stacktrace ?? '')
  const stack: unknown = Array.isArray(traces) ? traces.at(-1) : undefined
  return {
    message: reason,
    ...(code === undefined ? {} : { code }),
    ...(typeof stack === 'string' ? { stack } : {}),
  }
}

/** Undefined where it is no JSON. */
export function parsed(text: string): unknown {
  // The usual case; an exception costs more than all the rest.
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  // An object that is no list.
  return value as Readonly<Record<string, unknown>>
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0
}

function reasonOf(value: unknown): { readonly reason?: ParkReason } {
  const reason = parkReasons.find((known) => known === value)
  return reason === undefined ? {} : { reason }
}
