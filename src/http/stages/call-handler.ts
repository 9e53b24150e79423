import { withContext } from '../../core/context.ts'
import type { Deadlines } from '../deadlines.ts'
import type { Exchange } from '../exchange.ts'
import { known } from '../known.ts'
import type { Stage } from './stage.ts'

/** Runs the bound function inside its decorators, in the context of the request, for at most its time. */
export function callHandler(deadlines: Deadlines): Stage {
  return function callHandlerOfExchange(exchange) {
    const result = withContext(known(exchange.context), call, exchange)
    if (isThenable(result)) return deadlines.wait(exchange, result)
    exchange.result = result
    return undefined
  }
}

function call(exchange: Exchange): unknown {
  const { handler, takesBody } = exchange.route
  const { body, named } = known(exchange.decoded)
  return takesBody ? handler(body, named) : handler(named)
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
