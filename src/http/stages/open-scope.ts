import { RequestContext } from '../request-context.ts'
import { travellingHeaders } from '../snapshot.ts'
import type { Stage } from './stage.ts'

/** Gives the request its context, with the scope that collects what it fires. */
export function openScope(contextHeaders: readonly string[]): Stage {
  const headers = travellingHeaders(contextHeaders)
  return function openScopeOfExchange(exchange) {
    exchange.context = new RequestContext(exchange, headers)
    return undefined
  }
}
