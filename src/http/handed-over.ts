import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpOptions } from './options.ts'
import { addressOf, buildHttp, type HttpServer } from './server.ts'
import { Wait } from './wait.ts'

/** Connections that another process has accepted and hands to this one, in place of a port of its own. */
export interface HandedOver {
  /** The port they came in by. */
  readonly port: number
  /** Calls `take` for each from now on. */
  receive(take: (socket: Socket) => void): void
}

/** As `openHttp`, for connections that are handed over. @throws SetupError `JWT_SECRET_MISSING`. */
export async function openHandedOver(options: HttpOptions, source: HandedOver): Promise<HttpServer> {
  const http = await buildHttp(options)
  const connections = new HandedOverConnections(http.server, source)
  return {
    address: addressOf(options.host ?? '0.0.0.0', source.port),
    inject: http.inject,
    async stop() {
      await connections.drained(options.stopTimeoutMs ?? 10_000)
      await http.stop()
    },
  }
}

/**
 * Serves handed-over connections with `server`. Each carries one request: the next one of its client is a new connection, which goes to whichever
 * process serves then.
 */
class HandedOverConnections {
  readonly #open = new Set<Socket>()
  readonly #allEnded = new Wait()

  constructor(server: Server, source: HandedOver) {
    server.maxRequestsPerSocket = 1
    source.receive((socket) => this.#serve(server, socket))
  }

  #serve(server: Server, socket: Socket): void {
    // As node:http has it for its own: a client may close its half once it has sent its request.
    socket.allowHalfOpen = true
    this.#open.add(socket)
    socket.once('close', () => this.#forget(socket))
    server.emit('connection', socket)
    // It was not read from where it was accepted.
    socket.resume()
  }

  #forget(socket: Socket): void {
    this.#open.delete(socket)
    if (this.#open.size === 0) this.#allEnded.tell()
  }

  /**
   * Waits until all of them have been answered, `ms` at most. One that has sent nothing a moment from now is closed: browsers open connections ahead
   * of their need, and try again with another.
   */
  async drained(ms: number): Promise<void> {
    if (this.#open.size === 0) return
    const timer = setTimeout(() => this.#closeSilent(), firstBytesMs)
    await this.#allEnded.atMost(ms)
    clearTimeout(timer)
  }

  #closeSilent(): void {
    for (const socket of this.#open) if (socket.bytesRead === 0) socket.destroy()
  }
}

/** How long the first bytes of a request may be on their way. */
const firstBytesMs = 500
