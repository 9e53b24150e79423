import { currentContext } from '../core/context.ts'
import { milliseconds } from '../core/duration.ts'
import { type CallNames, ClientTimeoutError } from './errors.ts'

/** How long a call may take: its timeout, or what is left of the time of the request it is made in, whichever ends first. */
export class Deadline implements Disposable {
  /** Aborts when the time is over, or when the caller's own signal does. */
  readonly signal: AbortSignal
  readonly #end: number
  readonly #timer: NodeJS.Timeout | undefined
  readonly #unlisten: () => void

  /** `timeoutMs` 0: any time. */
  constructor(
    names: CallNames,
    { timeoutMs, signals }: { timeoutMs: number; signals: readonly AbortSignal[] },
  ) {
    const controller = new AbortController()
    this.signal = controller.signal
    this.#unlisten = passOn(signals, controller)
    const [own, left] = [timeoutMs === 0 ? Number.POSITIVE_INFINITY : timeoutMs, leftOfRequest()]
    const ms = Math.max(0, Math.min(own, left))
    this.#end = performance.now() + ms
    const limit = left < own ? "what was left of its request's time" : `${timeoutMs} ms`
    const end = () => controller.abort(new ClientTimeoutError(names, `took longer than ${limit}`))
    if (ms === 0) end()
    // No timer holds a longer time.
    else if (ms < 2_147_483_647) this.#timer = setTimeout(end, ms)
  }

  /** What is left, in ms. */
  get leftMs(): number {
    return Math.max(0, this.#end - performance.now())
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#unlisten()
  }
}

/** A call's own timeout in ms. @throws MacaronError `BAD_DURATION`. */
export function timeoutOf(timeout: unknown, fallbackMs: number): number {
  return timeout === undefined ? fallbackMs : milliseconds(timeout, 'The timeout of a call')
}

function leftOfRequest(): number {
  const deadline = currentContext()?.deadline
  return deadline === undefined ? Number.POSITIVE_INFINITY : deadline - performance.now()
}

/** Not `AbortSignal.any`: what that makes stays with a long-lived signal until it is collected. */
function passOn(signals: readonly AbortSignal[], controller: AbortController): () => void {
  const ends = signals.map((signal) => {
    const abort = () => controller.abort(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    return () => signal.removeEventListener('abort', abort)
  })
  return () => {
    for (const end of ends) end()
  }
}
