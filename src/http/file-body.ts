import { Readable } from 'node:stream'
import { MacaronError } from '../core/errors.ts'
import { UploadedFile } from '../core/uploaded-file.ts'
import { essenceOf } from '../spec/media.ts'
import { incomplete, throwAway } from './body.ts'
import type { Exchange } from './exchange.ts'
import { fileTooLarge } from './multipart/receive-form.ts'
import { fileClosed } from './multipart/spool.ts'
import { tolerant } from './unread.ts'

/**
 * A body that is one file: the handler reads it as it arrives, at the pace it likes, and nothing of it is kept. A handler that doesn't read it leaves it on the
 * connection, where it is thrown away after the reply.
 * @throws RequestError 413 `FILE_TOO_LARGE` where the caller announces too much.
 */
export function fileBody(exchange: Exchange, limit: number): UploadedFile {
  const { headers } = exchange.request.raw
  const announced = headers['content-length']
  const size = announced === undefined ? undefined : Number(announced)
  if (size !== undefined && size > limit) throw fileTooLarge('The body', limit)
  const type = essenceOf(headers['content-type'] ?? 'application/octet-stream')
  let isTaken = false
  return new UploadedFile({ name: undefined, type, size, limit }, () => {
    if (isTaken) throw consumed()
    isTaken = true
    return arriving(exchange, limit)
  })
}

function arriving(exchange: Exchange, limit: number): Readable {
  const { raw } = exchange.request
  const body = tolerant(new Readable({ read: () => void raw.resume(), destroy: stop }))
  let length = 0

  function onData(chunk: Buffer): void {
    length += chunk.length
    if (length > limit) body.destroy(fileTooLarge('The body', limit))
    else if (!body.push(chunk)) raw.pause()
  }
  function onEnd(): void {
    body.push(null)
  }
  function onError(cause: Error): void {
    body.destroy(incomplete(cause))
  }
  function onClose(): void {
    if (!raw.complete) body.destroy(incomplete())
  }
  function stop(error: Error | null, done: (error: Error | null) => void): void {
    raw.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose)
    throwAway(raw)
    done(error)
  }

  function hasGone(): boolean {
    return !raw.complete && (raw.destroyed || raw.socket.readableEnded)
  }

  if (exchange.broken !== undefined) body.destroy(exchange.broken)
  else if (exchange.isAnswered || hasGone()) body.destroy(hasGone() ? incomplete() : fileClosed())
  else raw.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose)
  exchange.onLeave(() => {
    if (!body.readableEnded && !body.destroyed) body.destroy(hasGone() ? incomplete() : fileClosed())
  })
  return body
}

function consumed(): MacaronError {
  return new MacaronError(
    'FILE_CONSUMED',
    'A body that is a file can be read only once: keep what stream(), buffer() or text() gave',
  )
}
