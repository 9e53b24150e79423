import type { Exchange } from '../exchange.ts'
import { InvalidRequest } from '../refusals.ts'

/** Holds the request against its operation and decodes parameters and body; all faults end it at once. */
export function validate(exchange: Exchange): undefined {
  const { route, params, query, body, content } = exchange
  const checked = route.checks.request({
    params,
    query,
    headers: exchange.request.raw.headers,
    body,
    content,
  })
  if ('faults' in checked) throw new InvalidRequest(checked.faults)
  exchange.decoded = checked.decoded
}
