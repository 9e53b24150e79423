import type { FastifyReply, FastifyRequest } from 'fastify'
import type { VerifiedToken } from '../auth/tokens.ts'
import type { Context } from '../core/context.ts'
import { RequestError } from '../core/errors.ts'
import type { BodyContent, DecodedRequest } from '../spec/api.ts'
import type { Answer } from './answer.ts'
import { callIdOf } from './call-id.ts'
import type { Route } from './route.ts'
import { namedParams } from './template.ts'

/** One request on its way through the pipeline, and what the stages have found out so far. */
export class Exchange {
  readonly route: Route
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly callId: string
  /** On the monotonic clock, in ms. */
  readonly startedAt = performance.now()
  /** The same, once its body has arrived. Set by `openScope`. */
  calledAt = this.startedAt
  /** Asked at once: a closed connection no longer knows it. */
  readonly ip: string
  readonly params: Readonly<Record<string, string>>
  /** Set by the stage `authenticate`. */
  verified: VerifiedToken | undefined = undefined
  /** The body's text where it is short enough to travel with tasks, and what it parses to. Set by `parse`. */
  bodyText: string | undefined = undefined
  body: unknown = undefined
  /** Which of the operation's media types the body is of. Set by `parse`, where there is a body. */
  content: BodyContent | undefined = undefined
  /** Set by `validate`. */
  decoded: DecodedRequest | undefined = undefined
  /** Set by `openScope`. */
  context: Context | undefined = undefined
  /** What the handler gave. Set by `callHandler`. */
  result: unknown = undefined
  /** Set by `shapeReply`, or by the error exit. */
  answer: Answer | undefined = undefined
  /** Among the requests in flight. */
  place = -1
  /** When its handler's time ends, on the monotonic clock, in ms. Looked at while `interrupt` is set only. */
  end = 0
  /** How many tasks were stored for it. Set by `endScope`. */
  tasks = 0
  /** Ends a wait for the body or the handler with an error; undefined while neither is waited for. */
  interrupt: ((error: Error) => void) | undefined = undefined
  /** Why no more of its body will come, where that was known before anybody waited for it: the parser says it once only. */
  broken: Error | undefined = undefined
  /** The reply is out, or never will be. */
  isAnswered = false
  #leaving: (() => void)[] | undefined = undefined
  #abandoned: AbortController | undefined = undefined
  #abandonedFor: Error | undefined = undefined

  constructor(route: Route, request: FastifyRequest, reply: FastifyReply) {
    this.route = route
    this.request = request
    this.reply = reply
    this.callId = callIdOf(request.raw.headers)
    this.ip = request.raw.socket.remoteAddress ?? ''
    this.params = namedParams(route.template, request.params)
  }

  /** Something is kept for this exchange until it has been answered. */
  get holds(): boolean {
    return this.#leaving !== undefined
  }

  /** Has `free` called when the request has been answered; files of a request are kept until then. */
  onLeave(free: () => void): void {
    if (this.isAnswered) free()
    else if (this.#leaving === undefined) this.#leaving = [free]
    else this.#leaving.push(free)
  }

  /** The reply is out, or never will be. */
  leave(): void {
    this.isAnswered = true
    const frees = this.#leaving
    this.#leaving = undefined
    if (frees !== undefined) for (const free of frees) free()
  }

  /** Aborts when nobody waits for the handler any more. Made when first asked for: most handlers never do. */
  get signal(): AbortSignal {
    if (this.#abandoned !== undefined) return this.#abandoned.signal
    this.#abandoned = new AbortController()
    if (this.#abandonedFor !== undefined) this.#abandoned.abort(this.#abandonedFor)
    else if (!this.isAnswered) this.#noticeGone()
    return this.#abandoned.signal
  }

  /** Nobody waits for the handler any more. */
  abandon(why: Error): void {
    this.#abandonedFor ??= why
    this.#abandoned?.abort(this.#abandonedFor)
  }

  #noticeGone(): void {
    const { raw } = this.reply
    const gone = () => this.abandon(callerGone())
    if (raw.destroyed) gone()
    else {
      raw.once('close', gone)
      this.onLeave(() => raw.off('close', gone))
    }
  }

  get method(): string {
    return this.request.raw.method ?? ''
  }

  /** Path and query. */
  get url(): string {
    return this.request.raw.url ?? ''
  }

  /** The path alone, without secret parameters: what may be logged, since queries carry secrets at times. */
  get path(): string {
    const { url } = this
    const end = url.search(/[?#]/)
    return this.route.shownPath(end === -1 ? url : url.slice(0, end))
  }

  /** The query string without `?`. */
  get query(): string {
    const { url } = this
    const start = url.indexOf('?')
    if (start === -1) return ''
    const end = url.indexOf('#', start)
    return url.slice(start + 1, end === -1 ? undefined : end)
  }

  get userId(): string | undefined {
    return (this.context?.user ?? this.verified?.user)?.sub
  }
}

function callerGone(): RequestError {
  return new RequestError('CALLER_GONE', 'The caller has gone before the request was answered', {
    status: 499,
  })
}
