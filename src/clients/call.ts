import { currentSignal } from '../core/context.ts'
import { asError, codeOf } from '../core/errors.ts'
import { emit, isHeard } from '../core/events.ts'
import type { CallOptions, ClientReply } from './client.ts'
import { Deadline, timeoutOf } from './deadline.ts'
import { ClientBadReplyError, ClientConnectionError } from './errors.ts'
import type { Answering } from './fake.ts'
import { sendHttp } from './http-send.ts'
import { operationOf } from './operations.ts'
import { type Prepared, prepare } from './prepare.ts'
import { readReply } from './read-reply.ts'
import { isRedirection, mostRedirections, redirected } from './redirect.ts'
import { pause, pauseBefore, type Tried } from './retry.ts'
import type { ClientSettings } from './table.ts'
import { type Send, SendError, type WireReply, type WireRequest } from './wire.ts'

/** Where a call goes. */
export interface Called {
  readonly settings: ClientSettings
  /** Answers in place of the network. */
  readonly fake: Answering | undefined
}

/** Calls an operation of another service, from arguments to models. Rejects as ClientCall says. */
export async function callOperation(
  { settings, fake }: Called,
  name: string,
  args: readonly unknown[],
): Promise<ClientReply<unknown>> {
  const operation = await operationOf(settings, name)
  const prepared = await prepare(operation, args, settings)
  const { timeout, signal } = prepared.options
  const timeoutMs = timeoutOf(timeout, settings.timeoutMs)
  using deadline = new Deadline(operation.names, { timeoutMs, signals: signalsOf(signal) })
  const call = new Call(prepared, { deadline, timeoutMs, settings, send: fake?.send(operation) ?? sendHttp })
  const began = performance.now()
  try {
    const reply = await call.reply()
    const read = readReply(operation, reply, fake === undefined ? settings : { replyCheck: 'fail' })
    announce(call, { ms: performance.now() - began, status: read.status })
    return read
  } catch (error) {
    announce(call, { ms: performance.now() - began, error: codeOf(error) ?? asError(error).name })
    throw error
  }
}

/** What ends a call besides its time. */
function signalsOf(own: CallOptions['signal']): readonly AbortSignal[] {
  if (own === false) return []
  return [own, currentSignal()].filter((signal) => signal !== undefined)
}

interface CallParts {
  readonly deadline: Deadline
  readonly timeoutMs: number
  readonly settings: ClientSettings
  readonly send: Send
}

/** One call: as many tries as it takes and is allowed, redirections followed. */
class Call {
  readonly prepared: Prepared
  readonly #parts: CallParts
  tries = 0

  constructor(prepared: Prepared, parts: CallParts) {
    this.prepared = prepared
    this.#parts = parts
  }

  /** The reply of the last try. */
  async reply(): Promise<WireReply> {
    for (;;) {
      this.tries++
      const tried = await this.#try()
      const ms = this.#pauseAfter(tried)
      if (ms === undefined) return this.#settled(tried)
      emit('client.retry', { ...this.prepared.operation.names, tries: this.tries, ms, why: whyOf(tried) })
      await pause(ms, this.#parts.deadline.signal)
    }
  }

  async #try(): Promise<Tried> {
    try {
      return { reply: await this.#follow() }
    } catch (error) {
      return { error }
    }
  }

  /** Undefined where there is no further try: none is allowed, or no time would be left for it. */
  #pauseAfter(tried: Tried): number | undefined {
    const { deadline } = this.#parts
    if (this.tries > this.prepared.retries || deadline.signal.aborted) return undefined
    const ms = pauseBefore(this.prepared.request.method, tried, this.tries)
    return ms === undefined || ms >= deadline.leftMs ? undefined : ms
  }

  #settled(tried: Tried): WireReply {
    if ('reply' in tried) return tried.reply
    const { error } = tried
    if (!(error instanceof SendError)) throw error
    const { names } = this.prepared.operation
    const after = this.tries === 1 ? '' : ` (after ${this.tries} tries)`
    const message = `${error.message}${after} (${this.prepared.request.url.origin})`
    if (error.stage === 'unreadable') throw new ClientBadReplyError(names, message, { cause: error.cause })
    throw new ClientConnectionError(names, message, { cause: error.cause, sent: error.stage !== 'connect' })
  }

  /** Sends the request, and goes where it is led. */
  async #follow(): Promise<WireReply> {
    const { operation } = this.prepared
    let { request } = this.prepared
    for (let hops = 0; ; hops++) {
      const reply = await this.#send(request)
      if (!isRedirection(reply.status) || operation.declares(reply.status)) return reply
      const next =
        hops < mostRedirections
          ? redirected(request, reply)
          : `is redirected more than ${mostRedirections} times`
      if (typeof next === 'string')
        throw new ClientBadReplyError(operation.names, next, { replyStatus: reply.status })
      request = next
    }
  }

  #send(request: WireRequest): Promise<WireReply> {
    const { deadline, timeoutMs, settings, send } = this.#parts
    // So that one that hangs while it connects leaves time for the other tries.
    const share = timeoutMs === 0 ? longestConnectMs : timeoutMs / (this.prepared.retries + 1)
    const connectMs = Math.max(shortestConnectMs, Math.min(longestConnectMs, share))
    return send(request, { signal: deadline.signal, connectMs, limit: settings.replyLimit })
  }
}

const longestConnectMs = 3000
const shortestConnectMs = 250

function whyOf(tried: Tried): string {
  return 'reply' in tried ? `it was answered ${tried.reply.status}` : `it ${asError(tried.error).message}`
}

function announce(call: Call, end: { ms: number; status?: number; error?: string }): void {
  if (!isHeard('client.end')) return
  const { operation, request } = call.prepared
  emit('client.end', {
    ...operation.names,
    method: request.method,
    url: `${request.url.origin}${operation.shownPath(request.url.pathname)}`,
    tries: call.tries,
    ...end,
  })
}
