import type { HttpOptions } from '../options.ts'
import { RequestContext } from '../request-context.ts'
import { travellingHeaders } from '../snapshot.ts'
import type { Stage } from './stage.ts'

/** Gives the request its context, with the scope that collects what it fires, and the time it may take. */
export function openScope({
  contextHeaders = [],
  defaultUser,
  requestTimeoutMs: timeoutMs,
}: Pick<HttpOptions, 'contextHeaders' | 'defaultUser' | 'requestTimeoutMs'>): Stage {
  const options = { headers: travellingHeaders(contextHeaders), defaultUser, timeoutMs }
  return function openScopeOfExchange(exchange) {
    // A body that came slowly is the caller's slowness.
    if (exchange.route.takesBody) exchange.calledAt = performance.now()
    exchange.context = new RequestContext(exchange, options)
    return undefined
  }
}
