import type { Socket } from 'node:net'

/** Answers a connection that no server can be had for: 503 with the reason, as the service's other errors, or as plain text to a browser. */
export function refuseConnection(connection: Socket, message: string): void {
  connection.once('data', (head) => {
    const forBrowser = /^accept:.*text\/html/im.test(head.toString('latin1'))
    connection.end(forBrowser ? plainReply(message) : jsonReply(message))
    // What the client still sends is taken in, so that it gets to read the answer.
    connection.resume()
    setTimeout(() => connection.destroy(), lingerMs).unref()
  })
  setTimeout(() => connection.destroy(), longestSilenceMs).unref()
  connection.resume()
}

function jsonReply(message: string): string {
  const body = { status: 503, error: 'SERVICE_BROKEN', error_description: message }
  return reply('application/json; charset=utf-8', JSON.stringify(body))
}

function plainReply(message: string): string {
  return reply('text/plain; charset=utf-8', `The service does not run:\n\n${message}\n`)
}

function reply(type: string, body: string): string {
  return [
    'HTTP/1.1 503 Service Unavailable',
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Retry-After: 1',
    'Cache-Control: no-store',
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}

const lingerMs = 1_000
const longestSilenceMs = 60_000
