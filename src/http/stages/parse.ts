import type { IncomingHttpHeaders } from 'node:http'
import { readBody } from '../body.ts'
import type { Exchange } from '../exchange.ts'
import { parseJson } from '../json-body.ts'
import { RefusedRequest } from '../refusals.ts'
import type { Stage } from './stage.ts'

/** Reads and parses the JSON body of operations that take one; a body that nobody asked for is left unread. */
export function parse(limit: number): Stage {
  return function parseExchange(exchange) {
    const { headers } = exchange.request.raw
    if (!exchange.route.takesBody || !announcesBody(headers)) return undefined
    checkEncoding(headers)
    checkMediaType(headers)
    return readBody(exchange, limit).then((bytes) => take(exchange, bytes))
  }
}

function take(exchange: Exchange, bytes: Buffer): void {
  if (bytes.length === 0) return
  const { text, value } = parseJson(bytes)
  exchange.body = value
  if (bytes.length <= mostTravelling) exchange.bodyText = text
}

/** Bytes of a body that travels with the tasks of its request. */
const mostTravelling = 16 * 1024

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

function checkMediaType(headers: IncomingHttpHeaders): void {
  const type = headers['content-type']
  if (type === 'application/json' || (type !== undefined && json.test(type))) return
  throw new RefusedRequest(415, 'UNSUPPORTED_MEDIA_TYPE', {
    message: `The body must be application/json in UTF-8, ${type === undefined ? 'but has no Content-Type' : `not ${type.slice(0, 100)}`}`,
    headers: { accept: 'application/json' },
  })
}

const json = /^\s*application\/(?:[\w.!#$&^-]+\+)?json\s*(?:;\s*charset\s*=\s*"?utf-?8"?\s*)?;?\s*$/i
