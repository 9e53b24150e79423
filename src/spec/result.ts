import type { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'

/** What handlers may give. */

/** A reply with a status and headers of its own, as `reply()` makes it. */
export interface OwnReply {
  readonly status: number
  readonly body: unknown
  readonly headers: Readonly<Record<string, string | readonly string[]>>
}

/** A body that is sent as it is, where the spec declares a type other than JSON: text, bytes, or a stream of them. */
export type RawReply = string | Uint8Array | Readable | ReadableStream

/**
 * What a handler of a generated type returns: the reply's body (a model or plain data), a reply with a status of its own, or an error, which
 * counts as thrown.
 */
export type Result<Body> = Body | OwnReply | Error | Promise<Body | OwnReply | Error>
