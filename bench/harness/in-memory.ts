import type { Server } from 'node:http'
import { Duplex } from 'node:stream'
import { payload } from '../peers/queue.ts'
import { sayReady } from './ready.ts'

/** How many connections ask at a time. */
const connections = 64

const body = JSON.stringify(payload)
const request = Buffer.from(
  `POST /plain HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
)

/** Has a server answer requests for `/plain` that no socket brings: `serve` tells how long one took, in µs. */
export function answerInMemory(server: Server): void {
  const crowd = new Crowd(server)
  process.on('message', async ({ id, amount }: { readonly id: number; readonly amount: number }) => {
    process.send?.({ id, answer: await crowd.ask(amount) })
  })
  sayReady()
}

/** Clients that each ask again as soon as they have their answer. */
class Crowd {
  readonly #clients: readonly Client[]
  #ready: Client[] = []
  #toAsk = 0
  #toCome = 0
  #done: (() => void) | undefined

  constructor(server: Server) {
    this.#clients = Array.from(
      { length: connections },
      () => new Client(server, (client) => this.#answered(client)),
    )
  }

  async ask(count: number): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#done = resolve
    this.#toAsk = count
    this.#toCome = count
    const start = performance.now()
    for (const client of this.#clients) this.#next(client)
    await promise
    return ((performance.now() - start) * 1000) / count
  }

  #answered(client: Client): void {
    this.#toCome--
    if (this.#toCome === 0) this.#done?.()
    else this.#next(client)
  }

  /** As on real connections: what has come is answered before anybody asks again. */
  #next(client: Client): void {
    if (this.#toAsk === 0) return
    this.#toAsk--
    this.#ready.push(client)
    if (this.#ready.length === 1) setImmediate(() => this.#askAll())
  }

  #askAll(): void {
    const ready = this.#ready
    this.#ready = []
    for (const client of ready) client.push(request)
  }
}

/** The server's end of a connection. */
class Client extends Duplex {
  readonly remoteAddress = '127.0.0.1'
  readonly #answered: (client: Client) => void

  constructor(server: Server, answered: (client: Client) => void) {
    super()
    this.#answered = answered
    server.emit('connection', this)
  }

  override _read(): void {
    // What is asked is pushed.
  }

  override _write(reply: Buffer, _encoding: string, written: () => void): void {
    if (!reply.includes(' 200 OK')) throw new Error(`The server answered ${reply}`)
    written()
    this.#answered(this)
  }

  /** Of sockets; a server asks for it. */
  setTimeout(): this {
    return this
  }
}
