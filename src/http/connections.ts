import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { RequestError } from '../core/errors.ts'
import { interrupt } from './deadlines.ts'
import type { Pipeline } from './pipeline.ts'

/** Ends the connections of a server: gently while requests are served, then for good. */
export class Connections {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  /**
   * Accepts nothing new, waits up to `ms` for the requests in hand, interrupts the handlers that still run then (503 `SERVER_STOPPING`, their
   * tasks dropped), and closes every connection as soon as its last reply is out.
   */
  async end(pipeline: Pipeline, ms: number): Promise<void> {
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    pipeline.close()
    await pipeline.inFlight.empty(ms)
    for (const exchange of pipeline.inFlight.all) interrupt(exchange, stopping())
    // Requests that are being stored can't be interrupted; a store that hangs must not hold the process.
    await pipeline.inFlight.empty(lastWordsMs)
    this.#closeSilent()
    const timer = setTimeout(() => this.#server.closeAllConnections(), lastWordsMs)
    await closed
    clearTimeout(timer)
  }

  /** Closes what waits for nothing: connections that sent no request, or only a piece of one. */
  #closeSilent(): void {
    for (const socket of this.#sockets) if (socket.writableLength === 0) socket.destroy()
  }
}

/** How long replies may take to go out after everything is decided. */
const lastWordsMs = 1000

function stopping(): RequestError {
  return new RequestError(
    'SERVER_STOPPING',
    'The server stops, and the request did not end in time. Try again.',
    { status: 503 },
  )
}
