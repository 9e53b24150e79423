import { Readable } from 'node:stream'
import { Reply } from './reply.ts'

/** Ends the stream in what a handler has given, where nobody will read it. */
export function leaveUnread(result: unknown): void {
  const body = result instanceof Reply ? result.body : result
  if (body instanceof Readable) tolerant(body).destroy()
}

/** A stream whose failure ends no process while nobody listens yet, or any more; whoever reads it sees it all the same. */
export function tolerant(stream: Readable): Readable {
  return stream.on('error', () => undefined)
}
