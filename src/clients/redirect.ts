import type { WireReply, WireRequest } from './wire.ts'

/**
 * Where a redirection leads (RFC 9110 §15.4). Reads are followed; anything else only to the same service, and only where the status keeps the method.
 * To another host goes nothing that was meant for this one: no token, no cookie, no header of a parameter or of the configuration.
 */

/** The request that a reply leads to, or a sentence that says why it is not followed. */
export function redirected(request: WireRequest, { status, headers }: WireReply): WireRequest | string {
  const { location } = headers
  const url = location === undefined ? null : URL.parse(location, request.url.href)
  if (url === null) return `is redirected (${status}) without a readable Location`
  url.hash = ''
  const where = `is redirected (${status}) to ${url.origin}`
  if (url.protocol !== 'https:' && url.protocol !== request.url.protocol) {
    return `${where}, which is not followed: it is not safe there`
  }
  if (url.username !== '' || url.password !== '')
    return `${where} with a password in the address, which is not followed`
  const isSame = url.origin === request.url.origin
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (isRead && isSame) return { ...request, url }
  if (isRead) return { ...request, url, headers: anonymous(request.headers), body: undefined }
  if (isSame && (status === 307 || status === 308)) return { ...request, url }
  return `${where}, which is not followed for ${request.method}`
}

/** Whether a status is one of those that lead elsewhere. */
export function isRedirection(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308
}

/** How many redirections of one call are followed. */
export const mostRedirections = 5

function anonymous(headers: WireRequest['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name === 'accept' || name === 'user-agent'),
  )
}
