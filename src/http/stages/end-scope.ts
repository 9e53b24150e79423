import type { Scope } from '../../core/context.ts'
import { asError, StoreError } from '../../core/errors.ts'
import type { Exchange } from '../exchange.ts'
import { known } from '../known.ts'
import type { HttpOptions } from '../options.ts'
import type { Stage } from './stage.ts'

/** Stores what the request has fired, if it succeeded; the reply waits for that. An error reply drops it. */
export function endScope({ release, drop }: Pick<HttpOptions, 'release' | 'drop'>): Stage {
  return function endScopeOfExchange(exchange) {
    const { scope } = known(exchange.context)
    if (known(exchange.answer).status >= 400) {
      drop(scope, exchange.callId, exchange.userId)
      return undefined
    }
    if (scope.staged.length > 0) return store(exchange, scope, release)
    // Nothing to store: the scope only has to know that it has ended.
    scope.state = 'released'
    return undefined
  }
}

async function store(exchange: Exchange, scope: Scope, release: HttpOptions['release']): Promise<void> {
  const count = scope.staged.length
  try {
    await release(scope)
  } catch (error) {
    throw storeError(error)
  }
  exchange.tasks = count
}

/** Whatever kept the tasks from being stored, the caller gets 503. */
function storeError(thrown: unknown): StoreError {
  if (thrown instanceof StoreError) return thrown
  const cause = asError(thrown)
  return new StoreError('STORE_FAILED', `The tasks could not be stored: ${cause.message}`, { cause })
}
