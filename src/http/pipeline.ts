import { Readable } from 'node:stream'
import { withContext } from '../core/context.ts'
import { emit, isHeard } from '../core/events.ts'
import type { Answer } from './answer.ts'
import type { BodyLimits } from './body-limits.ts'
import { Crashes } from './crashes.ts'
import { Deadlines } from './deadlines.ts'
import { errorReply } from './error-format.ts'
import { errorFacts } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { InFlight } from './in-flight.ts'
import { known } from './known.ts'
import type { HttpOptions } from './options.ts'
import { isPlainJson, send, sendJson } from './send.ts'
import { announce } from './stages/announce.ts'
import { authenticate } from './stages/authenticate.ts'
import { callHandler } from './stages/call-handler.ts'
import { checkErrorReply, checkReply } from './stages/check-reply.ts'
import { endScope } from './stages/end-scope.ts'
import { openScope } from './stages/open-scope.ts'
import { parse } from './stages/parse.ts'
import { serialise } from './stages/serialise.ts'
import { shapeReply } from './stages/shape-reply.ts'
import type { Stage } from './stages/stage.ts'
import { validate } from './stages/validate.ts'
import { leaveUnread } from './unread.ts'

/** The way of a request, once its route is found: these stages in this order, then the reply. */
function stagesOf(options: HttpOptions, inFlight: InFlight): readonly Stage[] {
  const requestTimeoutMs = options.requestTimeoutMs ?? 30_000
  return [
    authenticate(options.tokens),
    announce,
    parse(bodyLimits(options)),
    validate,
    openScope({ ...options, requestTimeoutMs }),
    callHandler(new Deadlines(requestTimeoutMs, inFlight)),
    shapeReply,
    checkReply({ mode: options.replyCheck ?? 'fail', production: options.production }),
    serialise,
    endScope(options),
  ]
}

function bodyLimits({ bodyLimit, fileLimit, uploadLimit, partLimit }: HttpOptions): BodyLimits {
  return {
    body: bodyLimit ?? 1_048_576,
    file: fileLimit ?? 10_485_760,
    upload: uploadLimit ?? 52_428_800,
    parts: partLimit ?? 1000,
  }
}

/** Serves requests; every error of every stage leaves through one exit. */
export class Pipeline {
  readonly inFlight = new InFlight()
  readonly #stages: readonly Stage[]
  readonly #options: Pick<HttpOptions, 'drop' | 'errorFormat'>
  readonly #slowMs: number
  readonly #crashes: Crashes
  /** Nothing stands between the pipeline and the connection: no CORS, compression or hooks of the service. */
  readonly #isBare: boolean
  readonly #checkError: (exchange: Exchange, answer: Answer) => void
  #closing = false

  constructor(options: HttpOptions) {
    this.#stages = stagesOf(options, this.inFlight)
    this.#options = options
    this.#slowMs = options.slowCallMs || Number.POSITIVE_INFINITY
    this.#crashes = new Crashes(options)
    const { cors, compress, plugins } = options
    this.#isBare = cors === undefined && compress !== true && plugins === undefined
    this.#checkError = options.replyCheck === 'off' ? () => undefined : checkErrorReply
  }

  get isClosing(): boolean {
    return this.#closing
  }

  /** From here on it says that it isn't ready for more. */
  close(): void {
    this.#closing = true
  }

  /** Serves one request. Never rejects. */
  async serve(exchange: Exchange): Promise<void> {
    this.inFlight.add(exchange)
    try {
      // By number: an iterator that lives on while something is waited for costs every request more than this.
      for (let at = 0; at < this.#stages.length; at += 1) {
        const pending = this.#stages[at]?.(exchange)
        if (pending !== undefined) await pending
      }
      const answer = known(exchange.answer)
      if (answer.status >= 500) this.#crashes.answered(exchange, answer)
    } catch (thrown) {
      exchange.answer = this.#fail(exchange, thrown)
    }
    this.#reply(exchange)
  }

  /** The error exit. */
  #fail(exchange: Exchange, thrown: unknown): Answer {
    const facts = errorFacts(thrown)
    discard(exchange)
    const { drop, errorFormat } = this.#options
    if (exchange.context !== undefined) drop(exchange.context.scope, exchange.callId, exchange.userId)
    if (facts.status >= 500) this.#crashes.thrown(exchange, facts)
    const answer = errorReply(facts, errorFormat)
    this.#checkError(exchange, answer)
    return answer
  }

  #reply(exchange: Exchange): void {
    try {
      this.#send(exchange, known(exchange.answer))
    } catch (error) {
      // Nothing was sent, and nothing can be: let the caller know at least that.
      this.#crashes.thrown(exchange, errorFacts(error))
      exchange.reply.raw.destroy()
    }
    this.#leave(exchange)
    const now = performance.now()
    const ms = now - exchange.calledAt
    if (ms > this.#slowMs) this.#crashes.slow(exchange, ms)
    if (isHeard('request.end')) announceEnd(exchange, now)
  }

  #send(exchange: Exchange, answer: Answer): void {
    const { callId, reply, context } = exchange
    const { payload } = answer
    if (this.#isBare && isPlainJson(answer)) return void sendJson(reply.raw, answer, callId)
    if (!(payload instanceof Readable)) return void send(reply, answer, callId)
    exchange.onLeave(() => payload.destroy())
    payload.once('error', (error) => {
      // Before the reply has begun, it becomes a 500 like any other; afterwards the caller sees his connection end.
      if (reply.raw.headersSent) this.#crashes.thrown(exchange, errorFacts(error))
    })
    // What the stream does while it is read is still done for this request.
    withContext(known(context), () => send(reply, answer, callId))
  }

  /** A request whose reply is a stream, or whose files may be part of it, is in flight until its reply is out. */
  #leave(exchange: Exchange): void {
    const { raw } = exchange.reply
    const leave = () => {
      this.inFlight.delete(exchange)
      exchange.leave()
    }
    if (exchange.holds && !raw.writableFinished && !raw.destroyed)
      raw.once('finish', leave).once('close', leave)
    else leave()
  }
}

/** A stream that the handler has given and nobody will read. */
function discard({ result, answer }: Exchange): void {
  leaveUnread(result)
  leaveUnread(answer?.payload)
}

function announceEnd(exchange: Exchange, now: number): void {
  const { callId, method, path, userId, tasks, answer } = exchange
  emit('request.end', {
    callId,
    method,
    url: path,
    status: answer?.status ?? 0,
    error: answer?.error,
    ms: now - exchange.startedAt,
    userId,
    tasks,
  })
}
