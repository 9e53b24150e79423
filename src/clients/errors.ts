import { MacaronError, type MacaronErrorOptions } from '../core/errors.ts'

/** What calls of other services end with when they fail. Each names the client and the operation; none holds a token, a query or a header. */

/** Which call an error is about. */
export interface CallNames {
  readonly client: string
  readonly operation: string
}

/** The base of what failed calls reject with. Uncaught in a handler it ends the request with 502, or 504 where the time ran out. */
export class ClientError extends MacaronError {
  /** The client's name. */
  readonly client: string
  /** The operation's name, as it was called. */
  readonly operation: string

  constructor(code: string, { client, operation }: CallNames, options: ClientErrorOptions) {
    super(code, `${client}: ${operation} ${options.message}`, options)
    this.client = client
    this.operation = operation
  }
}

interface ClientErrorOptions extends MacaronErrorOptions {
  /** Goes on after the names of client and operation. */
  readonly message: string
}

/** What the other service said of its error. */
export interface ErrorReply {
  readonly status: number
  /** `error` of its error JSON, else `CLIENT_ERROR_REPLY`. */
  readonly code: string
  /** `error_description`. */
  readonly description: string | undefined
  /** `error_id`: under which the other service has logged it. */
  readonly errorId: string | undefined
  /** `user_message`. */
  readonly userMessage: string | undefined
  /** The parsed body where it is JSON, else its text; longer ones are cut. */
  readonly body: unknown
}

/** The other service answered with an error: `status` and `code` are those of its reply. */
export class ClientReplyError extends ClientError {
  readonly description: string | undefined
  readonly errorId: string | undefined
  readonly body: unknown

  constructor(names: CallNames, reply: ErrorReply) {
    const { status, code, description, errorId, userMessage, body } = reply
    const said = code === errorReply ? '' : ` ${code}`
    super(code, names, {
      message: `was answered ${status}${said}${description === undefined ? '' : `: ${description}`}`,
      status,
      ...(userMessage === undefined ? {} : { userMessage }),
    })
    this.description = description
    this.errorId = errorId
    this.body = body
  }
}

/** The code of an error reply that names none. */
export const errorReply = 'CLIENT_ERROR_REPLY'

/** `CLIENT_TIMEOUT`: no whole reply came in time, tries and pauses between them included. */
export class ClientTimeoutError extends ClientError {
  constructor(names: CallNames, message: string, cause?: unknown) {
    super('CLIENT_TIMEOUT', names, { message, status: 504, cause })
  }
}

/** `CLIENT_UNREACHABLE`: no connection could be made, or it broke before the reply had come. */
export class ClientConnectionError extends ClientError {
  /** Whether the request may have been received all the same. */
  readonly sent: boolean

  constructor(names: CallNames, message: string, { cause, sent }: { cause: unknown; sent: boolean }) {
    super('CLIENT_UNREACHABLE', names, { message, status: 502, cause })
    this.sent = sent
  }
}

/** `CLIENT_BAD_REPLY`: a reply came, but it can't be read, is not what the spec declares, is too large, or leads elsewhere. */
export class ClientBadReplyError extends ClientError {
  /** The status of that reply. */
  readonly replyStatus: number | undefined

  constructor(
    names: CallNames,
    message: string,
    { cause, replyStatus }: { cause?: unknown; replyStatus?: number | undefined } = {},
  ) {
    super('CLIENT_BAD_REPLY', names, { message, status: 502, cause })
    this.replyStatus = replyStatus
  }
}
