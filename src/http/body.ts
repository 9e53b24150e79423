import { RequestError } from '../core/errors.ts'
import type { Exchange } from './exchange.ts'

/**
 * The bytes of a request's body.
 * @throws RequestError 413 `BODY_TOO_LARGE` as soon as that is known, 400 `BODY_INCOMPLETE` where the caller went away.
 */
export function readBody(exchange: Exchange, limit: number): Promise<Buffer> {
  const { raw } = exchange.request
  if (Number(raw.headers['content-length']) > limit) throw tooLarge(limit)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0

    function onData(chunk: Buffer): void {
      chunks.push(chunk)
      length += chunk.length
      if (length > limit) fail(tooLarge(limit))
    }
    function onEnd(): void {
      exchange.interrupt = undefined
      resolve(joined(chunks))
    }
    function onError(cause: Error): void {
      fail(
        new RequestError('BODY_INCOMPLETE', 'The request ended before its body was complete', {
          status: 400,
          cause,
        }),
      )
    }
    function fail(error: Error): void {
      exchange.interrupt = undefined
      raw.off('data', onData).off('end', onEnd).off('error', onError)
      // What still comes is thrown away, so that the caller, busy sending, gets to read the reply.
      raw.on('error', ignore).resume()
      reject(error)
    }

    exchange.interrupt = fail
    raw.on('data', onData).on('end', onEnd).on('error', onError)
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
