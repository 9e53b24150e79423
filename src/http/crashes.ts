import { emit } from '../core/events.ts'
import type { CrashReport } from './crash-report.ts'
import type { ErrorFacts } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { HttpOptions } from './options.ts'
import { snapshotOf, travellingHeaders } from './snapshot.ts'

/** Tells of crashes: as event, and to the service's own reporter. */
export class CrashReporter {
  readonly #options: HttpOptions
  readonly #headers: readonly string[]

  constructor(options: HttpOptions) {
    this.#options = options
    this.#headers = travellingHeaders(options.contextHeaders ?? [])
  }

  report(exchange: Exchange, facts: ErrorFacts): void {
    const { callId, method, path, userId } = exchange
    emit('request.crash', { callId, method, url: path, userId, errorId: facts.errorId, error: facts.error })
    const { errorReporter } = this.#options
    if (errorReporter === undefined) return
    try {
      errorReporter(this.#describe(exchange, facts))
    } catch (error) {
      // A broken reporter must not cost the caller his reply.
      emit('notice', { message: `errorReporter has thrown: ${String(error)}` })
    }
  }

  #describe(exchange: Exchange, facts: ErrorFacts): CrashReport {
    const { name, version, env } = this.#options
    const { operation, label } = exchange.route
    const ms = performance.now() - exchange.startedAt
    return {
      title: `${label}: ${facts.error.message}`,
      error: facts.error,
      errorId: facts.errorId,
      callId: exchange.callId,
      startedAt: new Date(Date.now() - ms),
      ms,
      response: {
        status: facts.status,
        error: facts.code,
        description: facts.description,
        userMessage: facts.userMessage,
      },
      user: { id: exchange.userId, isAuthenticated: exchange.verified !== undefined },
      server: { name, version, env },
      operation: { api: operation.api, id: operation.operationId },
      request: snapshotOf(exchange, this.#headers),
    }
  }
}
