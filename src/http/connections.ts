import type { Server, ServerResponse } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import { setImmediate as turnOfLoop } from 'node:timers/promises'
import { RequestError } from '../core/errors.ts'
import { interrupt } from './deadlines.ts'
import type { Pipeline } from './pipeline.ts'
import { Wait } from './wait.ts'

/** What is served over a connection at the moment, whoever serves it: the pipeline, hooks, or routes of the service's own. */
interface Connection {
  /** Those whose reply isn't out yet. */
  requests: number
  /** The reply of the newest of them. */
  newest: ServerResponse | undefined
  /** It ends with that. */
  ends: boolean
}

/** What ends with the connections. */
export interface Ending {
  readonly pipeline: Pipeline
  /** How long requests may take to end. */
  readonly ms: number
  /** Ends the plugins of the service, once no request can need them. */
  readonly closePlugins: () => PromiseLike<void>
}

/** Knows the connections of a server and the requests in hand over each, and ends them: gently while requests are served, then for good. */
export class Connections {
  readonly #server: Server
  readonly #open = new Map<Socket, Connection>()
  /** Connections that carry something else than HTTP by now. */
  readonly #upgraded = new Set<Socket>()
  readonly #allAnswered = new Wait()
  #requests = 0
  #isEnding = false
  /** One listener for all replies: this is the way of every request. */
  readonly #onClosed: (this: ServerResponse) => void

  constructor(server: Server) {
    this.#server = server
    const closed = (socket: Socket) => this.#closed(socket)
    this.#onClosed = function onClosed() {
      closed(this.req.socket)
    }
    server.on('connection', (socket) => {
      this.#open.set(socket, { requests: 0, newest: undefined, ends: false })
      socket.once('close', () => this.#forget(socket))
    })
    server.on('request', (_request, response) => this.#begin(response))
  }

  /** Leaves upgraded connections to the plugins that have asked for them. (A listener where there is none would turn plain requests into upgrades.) */
  leaveUpgrades(): void {
    if (this.#server.listenerCount('upgrade') === 0) return
    this.#server.prependListener('upgrade', (_request, socket) => {
      // The server listens for TCP connections only.
      const upgraded = socket as Socket
      this.#forget(upgraded)
      this.#upgraded.add(upgraded)
      upgraded.once('close', () => this.#upgraded.delete(upgraded))
    })
  }

  /** The newest reply that is due over a connection. */
  due(socket: Socket): { readonly newest: ServerResponse; readonly isOnly: boolean } | undefined {
    const { newest, requests } = this.#open.get(socket) ?? {}
    return newest === undefined ? undefined : { newest, isOnly: requests === 1 }
  }

  /** Ends a connection when the replies that are due over it are out, and says so in the last one. */
  endAfterReplies(socket: Socket): void {
    const connection = this.#open.get(socket)
    if (connection?.newest === undefined) return
    connection.ends = true
    if (!connection.newest.headersSent) connection.newest.setHeader('connection', 'close')
  }

  /**
   * Accepts nothing new, waits for the requests in hand, interrupts the handlers that still run when their time is over (503 `SERVER_STOPPING`, their tasks
   * dropped), and closes every connection as soon as its last reply is out; one that waits for nothing, at once.
   */
  async end({ pipeline, ms, closePlugins }: Ending): Promise<void> {
    pipeline.close()
    this.#isEnding = true
    for (const socket of this.#open.keys()) this.endAfterReplies(socket)
    // What had arrived is read first: it would be lost with its connection. The first turn may be over before sockets are looked at.
    await turnOfLoop()
    await turnOfLoop()
    this.#stopListening()
    for (const socket of this.#open.keys()) if (this.due(socket) === undefined) socket.destroy()
    await Promise.all([pipeline.inFlight.empty(ms), this.#answered(ms)])
    for (const exchange of pipeline.inFlight.all()) interrupt(exchange, stopping())
    // Requests that are being stored can't be interrupted; a store that hangs must not hold the process.
    await Promise.all([pipeline.inFlight.empty(lastWordsMs), this.#answered(lastWordsMs)])
    this.#server.closeAllConnections()
    await closePlugins()
    for (const socket of this.#upgraded) socket.destroySoon()
    await this.#closedServer()
  }

  /** Node's HTTP servers, when closed, cut replies that are written but not sent yet; those of TCP don't. */
  #stopListening(): void {
    NetServer.prototype.close.call(this.#server)
  }

  async #closedServer(): Promise<void> {
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    const timer = setTimeout(() => {
      for (const socket of this.#upgraded) socket.destroy()
    }, lastWordsMs)
    await closed
    clearTimeout(timer)
  }

  #begin(response: ServerResponse): void {
    const connection = this.#open.get(response.req.socket)
    if (connection === undefined) return
    const { newest } = connection
    connection.requests += 1
    this.#requests += 1
    connection.newest = response
    response.on('close', this.#onClosed)
    if (!this.#isEnding && !connection.ends) return
    // It came behind one that would have been the last.
    if (newest?.headersSent === false) newest.removeHeader('connection')
    this.endAfterReplies(response.req.socket)
  }

  #closed(socket: Socket): void {
    const connection = this.#open.get(socket)
    if (connection === undefined) return
    connection.requests -= 1
    if (connection.requests === 0) {
      connection.newest = undefined
      if (connection.ends) socket.destroySoon()
    }
    this.#discount(1)
  }

  /** Replies that were due over it will never be out. */
  #forget(socket: Socket): void {
    const requests = this.#open.get(socket)?.requests ?? 0
    this.#open.delete(socket)
    this.#discount(requests)
  }

  #discount(requests: number): void {
    this.#requests -= requests
    if (this.#requests === 0) this.#allAnswered.tell()
  }

  /** Resolves when no reply is due any more, or after `ms`. */
  async #answered(ms: number): Promise<void> {
    if (this.#requests > 0) await this.#allAnswered.atMost(ms)
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
