import type { IncomingHttpHeaders } from 'node:http'
import { codeOf, MacaronError } from '../core/errors.ts'

/** A request and its reply as they go over the wire, and what sends one for the other: HTTP, or a fake in a test. */

export interface WireRequest {
  readonly method: string
  readonly url: URL
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}

export interface WireReply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface SendOptions {
  /** Ends the sending, which then rejects with its reason. */
  readonly signal: AbortSignal
  /** How long a connection may take, in ms. */
  readonly connectMs: number
  /** Largest body of a reply, in bytes. */
  readonly limit: number
}

/** Sends one request once. @throws SendError, or the signal's reason. */
export type Send = (request: WireRequest, options: SendOptions) => Promise<WireReply>

/**
 * How far a request had come when it failed: `connect`: nothing was sent; `sent`: no reply had begun; `reply`: it broke off within its reply; `unreadable`:
 * the reply is no HTTP, or too large.
 */
export type Stage = 'connect' | 'sent' | 'reply' | 'unreadable'

/** A request that had no whole reply. Known inside the clients only: calls reject with a ClientError. */
export class SendError extends MacaronError {
  readonly stage: Stage
  /** Node's code for what went wrong. */
  readonly reason: string | undefined

  /** `message` goes on after the names of client and operation. */
  constructor(message: string, { stage, cause, reason }: { stage: Stage; cause?: unknown; reason?: string }) {
    super('CLIENT_UNREACHABLE', message, { cause })
    this.stage = stage
    this.reason = reason ?? codeOf(cause)
  }
}
