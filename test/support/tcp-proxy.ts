import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A stretch of network between a client and a server on this machine, which can be cut, and heard and altered. */
export class TcpProxy {
  readonly port: number
  readonly #server: Server
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  #isCut = false
  #bytesPerSecond = Number.POSITIVE_INFINITY
  #made = 0

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  /** `answers`: what becomes of a piece that the server sends. */
  static async start(
    target: number,
    answers: (piece: Buffer) => Buffer = (piece) => piece,
  ): Promise<TcpProxy> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const proxy = new TcpProxy(server, typeof address === 'object' && address !== null ? address.port : 0)
    server.on('connection', (near) => proxy.#join(near, connect(target, '127.0.0.1'), answers))
    return proxy
  }

  /** How many connections were ever made through it. */
  get connections(): number {
    return this.#made
  }

  /** Nothing goes through any more, in either direction, and nobody is told: as when a cable is pulled. */
  cut(): void {
    this.#isCut = true
    for (const pair of this.#pairs) for (const socket of pair) socket.pause()
  }

  /** From now on each connection carries no more than so much in each direction. */
  slow(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond
  }

  /** What clients send arrives; what they are answered does not. */
  muffle(): void {
    for (const [, far] of this.#pairs) far.pause()
  }

  /** What clients send on the connections that they have arrives with `mend`, even if they have given those up by then; new connections work. */
  hold(): void {
    for (const [near] of this.#pairs) near.pause()
  }

  /** What was on its way arrives, and all that follows. */
  mend(): void {
    this.#isCut = false
    for (const pair of this.#pairs) for (const socket of pair) socket.resume()
  }

  /** Ends every connection at once. */
  reset(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy()
  }

  async end(): Promise<void> {
    this.reset()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(near: Socket, far: Socket, answers: (piece: Buffer) => Buffer): void {
    const pair = [near, far] as const
    this.#pairs.add(pair)
    this.#made++
    near.on('data', (piece) => this.#carry(piece, near, far))
    far.on('data', (piece) => this.#carry(answers(piece), far, near))
    for (const socket of pair) {
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#pairs.delete(pair)
        near.destroy()
        far.destroy()
      })
      if (this.#isCut) socket.pause()
    }
  }

  #carry(piece: Buffer, from: Socket, to: Socket): void {
    to.write(piece)
    const ms = (piece.length / this.#bytesPerSecond) * 1000
    if (ms < 1) return
    from.pause()
    setTimeout(() => this.#isCut || from.resume(), ms)
  }
}
