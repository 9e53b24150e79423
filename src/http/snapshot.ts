import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { RequestSnapshot } from '../core/context.ts'
import { templateOfRequest } from './bare-request.ts'
import type { Exchange } from './exchange.ts'
import { travellingBody } from './travelling-body.ts'

/**
 * The part of a request that travels with its tasks and stands in crash reports. The body is parsed from its text again, so that it is
 * what the caller sent, whatever the handler has done to its own.
 */
export function snapshotOf(exchange: Exchange, headerNames: readonly string[]): RequestSnapshot {
  const { raw } = exchange.request
  return {
    method: exchange.method,
    url: exchange.url,
    path: exchange.route.operation.path,
    params: exchange.decoded?.params ?? exchange.params,
    query: exchange.decoded?.query ?? {},
    headers: pick(raw.headers, headerNames),
    ip: exchange.ip,
    userAgent: raw.headers['user-agent'],
    language: firstLanguage(raw.headers['accept-language']),
    body: bodyOf(exchange),
    sensitive: exchange.route.sensitive.length === 0 ? undefined : exchange.route.sensitive,
  }
}

/** The same of a request that reached no operation: only what it says of itself. */
export function bareSnapshot(request: FastifyRequest): RequestSnapshot {
  const { raw, method, ip } = request
  return {
    method,
    url: raw.url ?? '',
    path: templateOfRequest(request),
    params: {},
    query: {},
    headers: {},
    ip,
    userAgent: raw.headers['user-agent'],
    language: firstLanguage(raw.headers['accept-language']),
    body: undefined,
    sensitive: request.routeOptions.config.route?.sensitive,
  }
}

function bodyOf({ bodyText, content, body }: Exchange): unknown {
  if (bodyText !== undefined) return JSON.parse(bodyText)
  return content === undefined || content.kind === 'json' ? undefined : travellingBody(content.kind, body)
}

/** The names that may travel, in lower case: never those that carry credentials. */
export function travellingHeaders(names: readonly string[]): readonly string[] {
  return names.map((name) => name.toLowerCase()).filter((name) => !credentials.has(name))
}

const credentials = new Set(['authorization', 'cookie', 'proxy-authorization'])

function pick(headers: IncomingHttpHeaders, names: readonly string[]): Readonly<Record<string, string>> {
  const picked: Record<string, string> = {}
  for (const name of names) {
    const value = headers[name]
    if (value !== undefined) picked[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return picked
}

function firstLanguage(header: string | undefined): string | undefined {
  return header?.split(',', 1)[0]?.split(';', 1)[0]?.trim() || undefined
}
