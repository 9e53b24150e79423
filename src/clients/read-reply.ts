import { asError } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import type { ClientReply } from './client.ts'
import { ClientBadReplyError, ClientReplyError, errorReply } from './errors.ts'
import type { ClientOperation } from './operations.ts'
import type { ClientSettings } from './table.ts'
import type { WireReply } from './wire.ts'

/** What came over the wire as what the call gives: models of a success, an error for everything else. */

/** @throws ClientReplyError for an error reply, ClientBadReplyError for one that can't be read or isn't what the spec declares. */
export function readReply(
  operation: ClientOperation,
  reply: WireReply,
  { replyCheck }: Pick<ClientSettings, 'replyCheck'>,
): ClientReply<unknown> {
  const { status, headers, body: bytes } = reply
  if (!isSuccess(operation, status)) throw errorOf(operation, reply)
  const found = operation.hasJson(status) ? jsonOf(operation, reply) : undefined
  const body =
    replyCheck === 'off' ? found : checked(operation, { status, body: found, fails: replyCheck === 'fail' })
  return { status, headers, body: revived(operation, status, body), bytes }
}

/** A redirection that the spec declares is what the operation is for. */
function isSuccess(operation: ClientOperation, status: number): boolean {
  return (status >= 200 && status < 300) || (status < 400 && operation.declares(status))
}

function jsonOf(operation: ClientOperation, { status, headers, body }: WireReply): unknown {
  // 204, HEAD and the like: whether a body may be missing is for the check to say.
  if (body.length === 0) return undefined
  const type = headers['content-type']
  if (type !== undefined && !isJson(type)) {
    throw new ClientBadReplyError(
      operation.names,
      `was answered ${status} with ${short(type)} where the spec declares JSON: ${excerpt(body)}`,
      { replyStatus: status },
    )
  }
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (cause) {
    const message = `was answered ${status} with what is no JSON (${asError(cause).message})`
    throw new ClientBadReplyError(operation.names, message, { cause, replyStatus: status })
  }
}

interface Success {
  readonly status: number
  readonly body: unknown
  /** Whether a mismatch ends the call; else it is logged. */
  readonly fails: boolean
}

function checked(operation: ClientOperation, { status, body, fails }: Success): unknown {
  if (operation.method === 'HEAD') return undefined
  const words = faultsOf(operation, status, body)
  if (words.length === 0) return body
  const message = `was answered ${status} with what the spec does not declare: ${words.join('; ')}`
  if (fails) throw new ClientBadReplyError(operation.names, message, { replyStatus: status })
  emit('client.mismatch', { ...operation.names, status, faults: words })
  return body
}

function faultsOf(operation: ClientOperation, status: number, body: unknown): readonly string[] {
  try {
    const faults = operation.checks.reply(status, body, 'received')
    if (faults !== 'undeclared') return faults.map(({ path, message }) => `${path} ${message}`)
  } catch (error) {
    // A body nested so deeply that walking it overflows the stack.
    return [`body can't be checked: ${asError(error).message}`]
  }
  const declared = Object.keys(operation.operation.replies)
  return declared.length === 0 ? [] : [`the status ${status} (declared: ${declared.join(', ')})`]
}

function revived(operation: ClientOperation, status: number, body: unknown): unknown {
  try {
    return operation.revive(status, body)
  } catch (cause) {
    const message = `was answered ${status} with what makes no model: ${asError(cause).message}`
    throw new ClientBadReplyError(operation.names, message, { cause, replyStatus: status })
  }
}

/** How much of an error's JSON is kept, and of any other error text. */
const mostJson = 65_536
const mostText = 2048

function errorOf({ names }: ClientOperation, { status, headers, body }: WireReply): ClientReplyError {
  const json =
    isJson(headers['content-type'] ?? 'application/json') && body.length <= mostJson
      ? parsed(body)
      : undefined
  const said: Readonly<Record<string, unknown>> = typeof json === 'object' && json !== null ? { ...json } : {}
  return new ClientReplyError(names, {
    status,
    code: textOf(said.error) ?? errorReply,
    description: textOf(said.error_description),
    errorId: textOf(said.error_id),
    userMessage: textOf(said.user_message),
    body: json ?? (body.length === 0 ? undefined : body.toString('utf8', 0, mostText)),
  })
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

/** A text of an error reply, cut where it is longer than anyone reads. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, mostText) : undefined
}

function isJson(type: string): boolean {
  return /^\s*(application\/json|[\w.+-]+\/[\w.+-]+\+json|text\/json)\s*(;|$)/i.test(type)
}

function short(text: string): string {
  return text.slice(0, 60)
}

function excerpt(body: Buffer): string {
  return JSON.stringify(body.toString('utf8', 0, 60))
}
