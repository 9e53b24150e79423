import { createServer, type Server, type Socket } from 'node:net'
import { asError } from '../core/errors.ts'
import { listenError } from '../http/listen-error.ts'
import type { Child } from '../supervisor/child.ts'
import { refuseConnection } from './refusal.ts'

export interface Place {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
}

/**
 * Holds the service's port while its servers come and go: accepts connections and hands each, unread, to the server that is current. Between two
 * servers they wait, and where no server can be had they are told why.
 */
export class Lobby {
  readonly #waiting = new Set<Socket>()
  #listener: Server | undefined
  #place: Place | undefined
  #port = 0
  /** A server, what to tell instead, or nobody yet. */
  #host: Child | string | undefined
  #closed = false

  /** The port that is open; 0 before. */
  get port(): number {
    return this.#port
  }

  /** Opens the port, where it isn't open already, and closes the earlier one; nothing after `close`. @throws SetupError as `openHttp`; the earlier one stays open. */
  async open({ host, port }: Place): Promise<void> {
    const earlier = this.#place
    if (earlier?.host === host && earlier.port === port) return
    // The same port on another address can't be open beside the earlier one.
    if (earlier?.port === port) this.#close()
    try {
      await this.#listen({ host, port })
    } catch (error) {
      if (earlier?.port === port) await this.#listen(earlier)
      throw error
    }
  }

  /** From here on connections wait. */
  hold(): void {
    this.#host = undefined
  }

  /** From here on this server gets them, those that have waited too. */
  admitTo(server: Child): void {
    this.#host = server
    this.#admitWaiting()
  }

  /** From here on they are answered 503 with this message. */
  refuse(message: string): void {
    this.#host = message
    this.#admitWaiting()
  }

  /** Closes the port for good, and the connections that wait. */
  close(): void {
    this.#closed = true
    this.#close()
    for (const connection of this.#waiting) connection.destroy()
    this.#waiting.clear()
  }

  async #listen(place: Place): Promise<void> {
    if (this.#closed) return
    // Nothing is read here: whoever gets a connection reads it from the start.
    const listener = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (connection) => {
      // Its client has gone while it waited.
      connection.on('error', () => this.#waiting.delete(connection))
      this.#admit(connection)
    })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    listener.once('error', reject)
    listener.listen(place, resolve)
    await promise.catch((error: unknown) => {
      throw listenError(asError(error), place.host, place.port)
    })
    listener.off('error', reject)
    // Meanwhile.
    if (this.#closed) return void listener.close()
    this.#close()
    this.#listener = listener
    this.#place = place
    const address = listener.address()
    this.#port = typeof address === 'object' && address !== null ? address.port : place.port
  }

  #close(): void {
    this.#listener?.close()
    this.#listener = undefined
    this.#place = undefined
  }

  #admitWaiting(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const connection of waiting) this.#admit(connection)
  }

  #admit(connection: Socket): void {
    const host = this.#host
    if (typeof host === 'string') refuseConnection(connection, host)
    else if (host === undefined) this.#waiting.add(connection)
    else void this.#handOver(connection, host)
  }

  async #handOver(connection: Socket, server: Child): Promise<void> {
    if (await server.pass(connection)) return
    if (this.#closed) connection.destroy()
    // That server has ended, which is told soon: the next one gets it.
    else if (this.#host === server) this.#waiting.add(connection)
    else this.#admit(connection)
  }
}
