import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { codeOf, RequestError } from '../core/errors.ts'
import { STATUS_CODES } from '../core/node-http.ts'
import { incomplete } from './body.ts'
import type { Connections } from './connections.ts'
import { interrupt } from './deadlines.ts'
import { errorAnswer, errorFacts } from './errors.ts'
import type { InFlight } from './in-flight.ts'

/** Answers what is no HTTP, or never ends: requests that reach no route because they can't be read. */
export function clientErrors(
  connections: Connections,
  inFlight: InFlight,
): (error: Error, socket: Socket) => void {
  // Everything that still comes over such a connection is an error again.
  const refused = new WeakSet<Socket>()
  return (error, socket) => {
    if (refused.has(socket)) return
    refused.add(socket)
    if (codeOf(error) === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    const refusal = refusalOf(error)
    const due = connections.due(socket)
    if (due === undefined) return endWith(socket, rawReply(refusal))
    const { newest, isOnly } = due
    const exchange = inFlight.of(newest)
    // Its own body is what can't be read; what waits for it outside of the pipeline would wait for ever.
    if (!newest.req.complete && exchange === undefined) {
      return isOnly && !newest.headersSent ? endWith(socket, rawReply(refusal)) : void socket.destroy()
    }
    if (!newest.req.complete && exchange !== undefined)
      interrupt(exchange, hasEnded(error) ? incomplete(error) : refusal)
    // An answer now would be taken for that of a request that is still being served: let those end first, the connection with the last.
    connections.endAfterReplies(socket)
  }
}

/** The caller has closed his side in the middle of a body. */
function hasEnded(error: Error): boolean {
  return codeOf(error) === 'HPE_INVALID_EOF_STATE'
}

/** Leaves the other side a moment to read the reply: closed at once, its own unread bytes would wipe that out. */
function endWith(socket: Socket, text: string): void {
  socket.end(text)
  const timer = setTimeout(() => socket.destroy(), lingerMs).unref()
  socket.once('close', () => clearTimeout(timer))
}

const lingerMs = 1000

function refusalOf(error: Error): RequestError {
  const code = codeOf(error)
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new RequestError('HEADERS_TOO_LARGE', 'The headers of the request are larger than 16 KiB', {
      status: 431,
    })
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new RequestError('REQUEST_TIMEOUT', 'The request took too long to arrive', { status: 408 })
  }
  return new RequestError('BAD_HTTP', `The request is no valid HTTP (${code ?? 'unknown'})`, { status: 400 })
}

function rawReply(refusal: RequestError): string {
  const { status, payload } = errorAnswer(errorFacts(refusal))
  const body = String(payload)
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-call-id: ${randomUUID()}`,
    'connection: close',
    '',
    body,
  ].join('\r\n')
}
