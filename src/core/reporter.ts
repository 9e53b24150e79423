import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { waitAtMost } from './at-most.ts'
import { type Context, withContext } from './context.ts'
import { asError } from './errors.ts'
import { emit } from './events.ts'
import type { ErrorReporter, ReportServer } from './report.ts'
import { type Failure, reportData } from './report-data.ts'
import { withoutTokens } from './secrets.ts'
import { shortened } from './shortened.ts'
import { show } from './show.ts'

/**
 * Tells a service's `errorReporter` of failures, one turn of the loop later and in the context they happened in. Whatever the reporter does, who waits
 * for the reply doesn't feel it: what it throws is a line in the log, what it never ends is not waited for.
 */
export class Reporter {
  readonly #tell: ErrorReporter
  readonly #server: ReportServer
  readonly #pending = new Set<Promise<void>>()
  #full = false

  constructor(tell: ErrorReporter, server: ReportServer) {
    this.#tell = tell
    this.#server = server
  }

  /** Never throws. */
  report(failure: Failure, context: Context | undefined): void {
    // A reporter that fails and reports that would never come to an end.
    if (inside.getStore() === true || !this.#hasRoom()) return
    try {
      this.#tellLater(failure, context)
    } catch (error) {
      emit('notice', { message: `A failure could not be put into a report: ${show(asError(error).message)}` })
    }
  }

  /** Resolves when nothing is left to tell, or after `ms`: a process that ends should have said what it had to say. */
  async idle(ms: number): Promise<void> {
    if (this.#pending.size > 0) await waitAtMost(ms, Promise.all(this.#pending))
  }

  #tellLater(failure: Failure, context: Context | undefined): void {
    // Now: the handler's own objects may change.
    const data = reportData(failure, context, this.#server)
    const title = titleOf(failure)
    const told = nextTurn().then(() => this.#tellNow(context, () => this.#tell(title, data, failure.error)))
    this.#pending.add(told)
    void told.finally(() => this.#pending.delete(told))
  }

  #hasRoom(): boolean {
    const hasRoom = this.#pending.size < mostPending
    if (!hasRoom && !this.#full) emit('notice', { message: tooMany })
    this.#full = !hasRoom
    return hasRoom
  }

  async #tellNow(context: Context | undefined, tell: () => void | Promise<void>): Promise<void> {
    try {
      await inside.run(true, () => (context === undefined ? tell() : withContext(unending(context), tell)))
    } catch (error) {
      emit('notice', { message: `errorReporter has thrown: ${show(asError(error).message)}` })
    }
  }
}

/** The context without what ends its request or attempt: that one may be over, and the reporter tells of just that. */
function unending(context: Context): Context {
  const { callId, request, user, assumed, startedAt, token, trace, traceState, values, task, scope, text } =
    context
  return { callId, request, user, assumed, startedAt, token, trace, traceState, values, task, scope, text }
}

const inside = new AsyncLocalStorage<true>()

/** A reporter that never answers must not fill the memory. */
const mostPending = 1000
const tooMany = `${mostPending} reports wait for errorReporter to end: further ones are only logged until it does`

/** `helloworld.api.do_crash(): no such table`. */
function titleOf({ title, error, level }: Failure): string {
  if (level !== 'fatal') return withoutTokens(title)
  const [line = ''] = String(error.message).split('\n', 1)
  return withoutTokens(`${title}: ${shortened(line, longestLine)}`)
}

/** Of a title, in characters: it is a line in a list. */
const longestLine = 200
