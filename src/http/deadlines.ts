import { asError, RequestError } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import type { Exchange } from './exchange.ts'
import type { InFlight } from './in-flight.ts'
import { leaveUnread } from './unread.ts'

/** Waits for handlers, each for at most the same time. One timer serves all of them: it goes off when the time of the first ends. */
export class Deadlines {
  readonly #timeoutMs: number
  readonly #inFlight: Pick<InFlight, 'all'>
  #timer: NodeJS.Timeout | undefined

  /** 0: handlers may take any time. */
  constructor(timeoutMs: number, inFlight: Pick<InFlight, 'all'>) {
    this.#timeoutMs = timeoutMs
    this.#inFlight = inFlight
  }

  /**
   * Resolves when the handler has given its result, which is then the exchange's.
   * @throws RequestError 408 `REQUEST_TIMEOUT`, or what the handler or an interruption throws.
   */
  wait(exchange: Exchange, result: PromiseLike<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      exchange.interrupt = reject
      this.#enter(exchange)
      result.then(
        (value) => {
          if (!leave(exchange)) return leaveUnread(value)
          exchange.result = value
          resolve()
        },
        (error: unknown) => {
          if (!leave(exchange)) reportLate(exchange, error)
          reject(error)
        },
      )
    })
  }

  #enter(exchange: Exchange): void {
    if (this.#timeoutMs === 0) return
    exchange.end = exchange.calledAt + this.#timeoutMs
    if (this.#timer === undefined) this.#arm(this.#timeoutMs)
  }

  #arm(ms: number): void {
    // A waiting request keeps the process alive by its connection.
    this.#timer = setTimeout(() => this.#expire(), ms).unref()
  }

  #expire(): void {
    this.#timer = undefined
    const now = performance.now()
    let next = Number.POSITIVE_INFINITY
    for (const exchange of this.#inFlight.all()) {
      // One that waits for its body, or the store, has no time of its own, or had it before.
      if (exchange.interrupt === undefined || exchange.end === 0) continue
      if (exchange.end <= now) interrupt(exchange, tookTooLong(this.#timeoutMs))
      else next = Math.min(next, exchange.end)
    }
    if (next !== Number.POSITIVE_INFINITY) this.#arm(Math.ceil(next - now))
  }
}

/** False where the exchange had been interrupted before. */
function leave(exchange: Exchange): boolean {
  const waited = exchange.interrupt !== undefined
  exchange.interrupt = undefined
  return waited
}

/** Ends what the exchange waits for; where nothing is waited for that can be ended, its body will not be waited for either. */
export function interrupt(exchange: Exchange, error: Error): void {
  const reject = exchange.interrupt
  exchange.interrupt = undefined
  if (reject === undefined) {
    exchange.broken = error
    return
  }
  reject(error)
  exchange.abandon(error)
}

/** The error of what took longer than it may. */
export function tookTooLong(ms: number): RequestError {
  return new RequestError('REQUEST_TIMEOUT', `The request took longer than the ${ms} ms it may take`, {
    status: 408,
  })
}

/** The caller has been answered already, but an error of the handler must not vanish. */
function reportLate(exchange: Exchange, thrown: unknown): void {
  const { callId, method, path, userId } = exchange
  emit('request.crash', { callId, method, url: path, userId, errorId: callId, error: asError(thrown) })
}
