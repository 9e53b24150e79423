import { asError, RequestError } from '../core/errors.ts'
import type { Exchange } from './exchange.ts'

/** Who takes the bytes of a body. */
export interface Taker {
  /** Most bytes of the whole body. */
  readonly limit: number
  /** Takes the next bytes; a promise holds back those that follow. A throw or rejection ends the request. */
  take(bytes: Buffer): Promise<void> | undefined
}

/**
 * The bytes of a request's body.
 * @throws RequestError 413 `BODY_TOO_LARGE` as soon as that is known, 400 `BODY_INCOMPLETE` where the caller went away, and what broke the body before.
 */
export async function readBody(exchange: Exchange, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  const take = (bytes: Buffer) => void chunks.push(bytes)
  await receive(exchange, { limit, take })
  return joined(chunks)
}

/** Receives a body piece by piece. @throws as `readBody`, and whatever the taker throws. */
export function receive(exchange: Exchange, taker: Taker): Promise<void> {
  const { raw } = exchange.request
  const { limit } = taker
  if (exchange.broken !== undefined) throw exchange.broken
  if (Number(raw.headers['content-length']) > limit) throw tooLarge(limit)
  // The caller has gone while something before was waited for: nothing will ever be heard of it.
  if (raw.destroyed) throw incomplete()
  return new Promise((resolve, reject) => {
    let length = 0
    let held: Promise<void> | undefined

    function onData(chunk: Buffer): void {
      length += chunk.length
      if (length > limit) fail(tooLarge(limit))
      else take(chunk)
    }
    function take(chunk: Buffer): void {
      try {
        held = taker.take(chunk)
        if (held === undefined) return
        raw.pause()
        held.then(() => raw.resume(), fail)
      } catch (error) {
        fail(asError(error))
      }
    }
    function onEnd(): void {
      // A stream that was paused at its last piece ends all the same.
      if (held === undefined) done()
      else held.then(done, fail)
    }
    function done(): void {
      exchange.interrupt = undefined
      resolve()
    }
    function onError(cause: Error): void {
      fail(incomplete(cause))
    }
    function fail(error: Error): void {
      exchange.interrupt = undefined
      raw.off('data', onData).off('end', onEnd).off('error', onError)
      throwAway(raw)
      reject(error)
    }

    exchange.interrupt = fail
    raw.on('data', onData).on('end', onEnd).on('error', onError)
  })
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

function joined(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks
  return chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks)
}

function tooLarge(limit: number): RequestError {
  return new RequestError('BODY_TOO_LARGE', `The body is larger than the ${limit} bytes that are accepted`, {
    status: 413,
  })
}

function ignore(): void {
  // The request is answered already; that its rest is lost matters to nobody.
}
