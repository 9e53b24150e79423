import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import { parseJson } from '../../core/json.ts'
import { parseQuery } from '../../spec/raw-query.ts'
import { readBody } from '../body.ts'
import type { BodyLimits } from '../body-limits.ts'
import type { Exchange } from '../exchange.ts'
import { fileBody } from '../file-body.ts'
import { receiveForm, tooManyParts } from '../multipart/receive-form.ts'
import { unreadable } from '../multipart/unreadable.ts'
import { RefusedRequest } from '../refusals.ts'
import { mostTravelling } from '../travelling-body.ts'
import type { Stage } from './stage.ts'

/** Reads the body of operations that take one, by its media type; a body that nobody asked for is left unread. */
export function parse(limits: BodyLimits): Stage {
  return function parseExchange(exchange) {
    const { headers } = exchange.request.raw
    const { media } = exchange.route
    if (media === undefined || !announcesBody(headers)) return undefined
    checkEncoding(headers)
    const content = media.of(headers['content-type'])
    exchange.content = content
    switch (content.kind) {
      case 'json':
        return readBody(exchange, limits.body, takeJson)
      case 'text':
        return readBody(exchange, limits.body, takeText)
      case 'form':
        return readBody(exchange, limits.body, (_, bytes) => takeForm(exchange, bytes, limits))
      case 'multipart':
        return takeMultipart(exchange, limits)
      case 'file':
        exchange.body = fileBody(exchange, limits.file)
        return undefined
    }
  }
}

function takeJson(exchange: Exchange, bytes: Buffer): void {
  if (bytes.length === 0) return
  const { text, value } = parseJson(bytes)
  exchange.body = value
  if (bytes.length <= mostTravelling) exchange.bodyText = text
}

function takeText(exchange: Exchange, bytes: Buffer): void {
  if (!isUtf8(bytes))
    throw new RefusedRequest(400, 'BODY_NOT_UTF8', { message: 'The body is not UTF-8', headers: {} })
  exchange.body = bytes.toString('utf8')
}

function takeForm(exchange: Exchange, bytes: Buffer, limits: BodyLimits): void {
  if (!isUtf8(bytes)) throw unreadable('it is not UTF-8')
  const text = bytes.toString('utf8')
  if (text.split('&', limits.parts + 1).length > limits.parts) throw tooManyParts(limits.parts)
  exchange.body = { texts: parseQuery(text), files: noFiles }
}

const noFiles = new Map<string, never>()

async function takeMultipart(exchange: Exchange, limits: BodyLimits): Promise<void> {
  const { checks } = exchange.route
  const fields = exchange.content === undefined ? noFiles : checks.fileFields(exchange.content)
  exchange.body = await receiveForm(exchange, fields, limits)
}

function announcesBody(headers: IncomingHttpHeaders): boolean {
  const length = headers['content-length']
  return length === undefined ? headers['transfer-encoding'] !== undefined : length !== '0'
}

function checkEncoding(headers: IncomingHttpHeaders): void {
  const encoding = headers['content-encoding']
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return
  throw new RefusedRequest(415, 'UNSUPPORTED_MEDIA_TYPE', {
    message: 'Bodies with a Content-Encoding are not accepted; send it as it is',
    headers: { 'accept-encoding': 'identity' },
  })
}
