import type { ClientRequest, IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { codeOf } from '../core/errors.ts'
import { request as httpRequest } from '../core/node-http.ts'
import { SendError, type SendOptions, type Stage, type WireReply, type WireRequest } from './wire.ts'

/**
 * Sends one request over HTTP. Connections are kept alive and shared by Node's global agents, which know the proxy of the environment; `fetch` has no
 * limit for the time of a connection, and does not say whether anything was sent.
 */
export function sendHttp(request: WireRequest, options: SendOptions): Promise<WireReply> {
  return new Promise((resolve, reject) => {
    new Sending(request, options, { resolve, reject }).start()
  })
}

interface Ends {
  readonly resolve: (reply: WireReply) => void
  readonly reject: (error: unknown) => void
}

class Sending {
  readonly #request: WireRequest
  readonly #options: SendOptions
  readonly #ends: Ends
  #stage: Stage = 'connect'
  #sent: ClientRequest | undefined
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  constructor(request: WireRequest, options: SendOptions, ends: Ends) {
    this.#request = request
    this.#options = options
    this.#ends = ends
  }

  start(): void {
    const { method, url, headers, body } = this.#request
    const { signal } = this.#options
    if (signal.aborted) {
      this.#fail(signal.reason)
      return
    }
    const request = url.protocol === 'https:' ? httpsRequest : httpRequest
    const sent = request(url, { method, headers: framed(headers, body, method) })
    this.#sent = sent
    signal.addEventListener('abort', this.#abort, { once: true })
    sent.once('socket', (socket) => this.#watch(socket))
    sent.once('response', (reply) => this.#read(reply))
    sent.on('error', (error) => this.#break(error.message, error))
    sent.once('close', () => this.#break('it was closed'))
    sent.end(body)
  }

  /** Nothing is sent before there is a connection, with TLS where that is asked for. */
  #watch(socket: Socket): void {
    if (!socket.connecting) {
      this.#connected()
      return
    }
    const { connectMs } = this.#options
    this.#timer = setTimeout(() => {
      const message = `could not connect within ${Math.round(connectMs)} ms`
      this.#fail(new SendError(message, { stage: 'connect', reason: 'ETIMEDOUT' }))
    }, connectMs)
    socket.once(this.#request.url.protocol === 'https:' ? 'secureConnect' : 'connect', () =>
      this.#connected(),
    )
  }

  #connected(): void {
    clearTimeout(this.#timer)
    this.#stage = 'sent'
  }

  #read(reply: IncomingMessage): void {
    this.#stage = 'reply'
    const { limit } = this.#options
    const chunks: Buffer[] = []
    let size = 0
    const announced = this.#request.method === 'HEAD' ? 0 : Number(reply.headers['content-length'] ?? 0)
    if (announced > limit) this.#tooLarge()
    reply.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size > limit) this.#tooLarge()
    })
    reply.on('error', (error) => this.#break(error.message, error))
    reply.once('end', () => this.#end(reply, chunks))
  }

  #end(reply: IncomingMessage, chunks: readonly Buffer[]): void {
    if (!reply.complete) this.#break('the connection ended')
    if (this.#isOver) return
    this.#over()
    this.#ends.resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: Buffer.concat(chunks) })
  }

  #tooLarge(): void {
    const message = `has a reply larger than the ${this.#options.limit} bytes it may have (reply_limit)`
    this.#fail(new SendError(message, { stage: 'unreadable' }))
  }

  #break(words: string, cause?: Error): void {
    const stage = codeOf(cause)?.startsWith('HPE_') ? 'unreadable' : this.#stage
    this.#fail(new SendError(`${stages[stage]}: ${words}`, { stage, cause }))
  }

  readonly #abort = (): void => this.#fail(this.#options.signal.reason)

  #fail(error: unknown): void {
    if (this.#isOver) return
    this.#over()
    this.#sent?.destroy()
    this.#ends.reject(error)
  }

  #over(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#options.signal.removeEventListener('abort', this.#abort)
  }
}

/** With the length of the body, which must be said also of an empty one where the method means to send one (RFC 9110 §8.6). */
function framed(
  headers: WireRequest['headers'],
  body: Uint8Array | undefined,
  method: string,
): Record<string, string> {
  if (body !== undefined) return { ...headers, 'content-length': String(body.byteLength) }
  return ['POST', 'PUT', 'PATCH'].includes(method) ? { ...headers, 'content-length': '0' } : { ...headers }
}

const stages: Readonly<Record<Stage, string>> = {
  connect: 'could not connect',
  sent: 'lost its connection before a reply came',
  reply: 'has a reply that broke off',
  unreadable: 'has a reply that is no HTTP',
}
