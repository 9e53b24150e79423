import { randomUUID } from 'node:crypto'
import { MacaronError } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import type { Failure } from '../core/report-data.ts'
import type { Answer } from './answer.ts'
import type { ErrorFacts } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { HttpOptions } from './options.ts'
import { RequestContext } from './request-context.ts'
import { travellingHeaders } from './snapshot.ts'

/** Tells of requests that went wrong on our side: as event, and to the service's own reporter. */
export class Crashes {
  readonly #options: Pick<HttpOptions, 'reporter' | 'defaultUser'>
  readonly #headers: readonly string[]

  constructor(options: HttpOptions) {
    this.#options = options
    this.#headers = travellingHeaders(options.contextHeaders ?? [])
  }

  /** A request that ended with an error of 500 or more. */
  thrown(exchange: Exchange, facts: ErrorFacts): void {
    const { errorId, error, status, code, description, userMessage } = facts
    this.#tell(exchange, {
      error,
      errorId,
      response: {
        status,
        error_code: code,
        error_description: description,
        user_message: userMessage,
      },
    })
  }

  /** A handler that has itself answered with 500 or more. */
  answered(exchange: Exchange, { status, body }: Answer): void {
    const said = typeof body === 'object' && body !== null ? body : {}
    const [code, description, userMessage, errorId = randomUUID()] = [
      textIn(said, 'error'),
      textIn(said, 'error_description'),
      textIn(said, 'user_message'),
      textIn(said, 'error_id'),
    ]
    const words = [`the handler has answered ${status}`, code, description].filter(
      (part) => part !== undefined,
    )
    this.#tell(exchange, {
      error: new MacaronError('ERROR_REPLY', words.join(' ')),
      errorId,
      response: { status, error_code: code, error_description: description, user_message: userMessage },
    })
  }

  /** A request that took longer than `report_call_exceeding_ms`. */
  slow(exchange: Exchange, ms: number): void {
    const { callId, method, path, userId } = exchange
    emit('request.slow', { callId, method, url: path, userId, ms })
    const title = `${nameOf(exchange)} took ${Math.round(ms)} ms`
    const error = new MacaronError('SLOW_CALL', title)
    this.#report(exchange, { title, error, errorId: randomUUID(), level: 'warning' })
  }

  #tell(exchange: Exchange, crash: Pick<Failure, 'error' | 'errorId' | 'response'>): void {
    const { callId, method, path, userId } = exchange
    const { errorId, error } = crash
    emit('request.crash', { callId, method, url: path, userId, errorId, error })
    this.#report(exchange, { ...crash, title: nameOf(exchange), level: 'fatal' })
  }

  #report(exchange: Exchange, failure: Failure): void {
    const { reporter, defaultUser } = this.#options
    if (reporter === undefined) return
    // A request that failed before its scope was opened has no context yet.
    const context = exchange.context ?? new RequestContext(exchange, { headers: this.#headers, defaultUser })
    reporter.report(failure, context)
  }
}

/** As PyMacaron's reports call it: `helloworld.api.do_crash()`. */
function nameOf({ route }: Exchange): string {
  const { binding } = route.operation
  return binding === undefined ? route.label : `${binding}()`
}

function textIn(body: object, key: string): string | undefined {
  const value: unknown = Reflect.get(body, key)
  return typeof value === 'string' ? value : undefined
}
