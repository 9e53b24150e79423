import { asError, RequestError } from '../core/errors.ts'
import type { Exchange } from './exchange.ts'

/** Who takes the bytes of a body. */
export interface Taker {
  /** Most bytes of the whole body. */
  readonly limit: number
  /** Takes the next bytes; a promise holds back those that follow. A throw or rejection ends the request. */
  take(bytes: Buffer): Promise<void> | undefined
  /** All have come and are taken. A throw ends the request. */
  end(): void
}

/**
 * Gives `use` the bytes of a request's body, once all have come.
 * @throws as `receive`, and whatever `use` throws.
 */
export function readBody(exchange: Exchange, limit: number, use: UseOfBody): Promise<void> {
  return receive(exchange, new WholeBody(exchange, limit, use))
}

export type UseOfBody = (exchange: Exchange, bytes: Buffer) => void

/** Most bodies come in one piece. */
class WholeBody implements Taker {
  readonly limit: number
  readonly #exchange: Exchange
  readonly #use: UseOfBody
  #first: Buffer | undefined = undefined
  #others: Buffer[] | undefined = undefined

  constructor(exchange: Exchange, limit: number, use: UseOfBody) {
    this.limit = limit
    this.#exchange = exchange
    this.#use = use
  }

  take(bytes: Buffer): undefined {
    if (this.#first === undefined) this.#first = bytes
    else if (this.#others === undefined) this.#others = [bytes]
    else this.#others.push(bytes)
  }

  end(): void {
    const first = this.#first ?? noBytes
    this.#use(this.#exchange, this.#others === undefined ? first : Buffer.concat([first, ...this.#others]))
  }
}

const noBytes = Buffer.alloc(0)

/**
 * Receives a body piece by piece.
 * @throws RequestError 413 `BODY_TOO_LARGE` as soon as that is known, 400 `BODY_INCOMPLETE` where the caller went away, what broke the body before, and
 * whatever the taker throws.
 */
export function receive(exchange: Receiving, taker: Taker): Promise<void> {
  const { raw } = exchange.request
  if (exchange.broken !== undefined) throw exchange.broken
  if (Number(raw.headers['content-length']) > taker.limit) throw tooLarge(taker.limit)
  // The caller has gone while something before was waited for: nothing will ever be heard of it.
  if (raw.destroyed) throw incomplete()
  return new Promise((resolve, reject) => new Arrival(exchange, taker, { resolve, reject }))
}

/** What of an exchange its body is received with. */
export type Receiving = Pick<Exchange, 'broken' | 'interrupt' | 'request'>

interface Settle {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** A body on its way. */
class Arrival {
  readonly #exchange: Receiving
  readonly #taker: Taker
  readonly #settle: Settle
  #length = 0
  #held: Promise<void> | undefined = undefined

  constructor(exchange: Receiving, taker: Taker, settle: Settle) {
    this.#exchange = exchange
    this.#taker = taker
    this.#settle = settle
    exchange.interrupt = this.#fail
    exchange.request.raw.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError)
  }

  readonly #onData = (chunk: Buffer): void => {
    const { limit } = this.#taker
    this.#length += chunk.length
    if (this.#length > limit) this.#fail(tooLarge(limit))
    else this.#take(chunk)
  }

  readonly #onEnd = (): void => {
    // A stream that was paused at its last piece ends all the same.
    if (this.#held === undefined) this.#done()
    else this.#held.then(() => this.#done(), this.#fail)
  }

  readonly #onError = (cause: Error): void => this.#fail(incomplete(cause))

  readonly #fail = (error: Error): void => {
    const { raw } = this.#exchange.request
    this.#exchange.interrupt = undefined
    raw.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError)
    throwAway(raw)
    this.#settle.reject(error)
  }

  #take(chunk: Buffer): void {
    const { raw } = this.#exchange.request
    try {
      this.#held = this.#taker.take(chunk)
      if (this.#held === undefined) return
      raw.pause()
      this.#held.then(() => raw.resume(), this.#fail)
    } catch (error) {
      this.#fail(asError(error))
    }
  }

  #done(): void {
    // Its own for as long as it is on its way: it may have failed while its last piece was being taken.
    if (this.#exchange.interrupt !== this.#fail) return
    this.#exchange.interrupt = undefined
    // Node would take it off at the reply, in a way that costs more.
    this.#exchange.request.raw.off('data', this.#onData)
    try {
      this.#taker.end()
      this.#settle.resolve()
    } catch (error) {
      this.#settle.reject(asError(error))
    }
  }
}

/** What still comes is thrown away, so that the caller, busy sending, gets to read the reply. */
export function throwAway(raw: Exchange['request']['raw']): void {
  raw.on('error', ignore).resume()
}

/** The caller went away before the end of his body. */
export function incomplete(cause?: Error): RequestError {
  return new RequestError('BODY_INCOMPLETE', 'The request ended before its body was complete', {
    status: 400,
    cause,
  })
}

function tooLarge(limit: number): RequestError {
  return new RequestError('BODY_TOO_LARGE', `The body is larger than the ${limit} bytes that are accepted`, {
    status: 413,
  })
}

function ignore(): void {
  // The request is answered already; that its rest is lost matters to nobody.
}
