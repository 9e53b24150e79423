import type { FastifyReply, FastifyRequest } from 'fastify'
import { contextOf } from '../core/context.ts'
import { emit } from '../core/events.ts'
import type { Reporter } from '../core/reporter.ts'
import { pathToTell } from './bare-request.ts'
import { callIdOf } from './call-id.ts'
import { type ErrorFormat, errorReply } from './error-format.ts'
import { errorFacts } from './errors.ts'
import { send } from './send.ts'
import { bareSnapshot } from './snapshot.ts'

/** Ends a request that reached no operation with an error. */
export type Refuse = (request: FastifyRequest, reply: FastifyReply, thrown: unknown) => void

export interface RefuseOptions {
  readonly errorFormat?: ErrorFormat | undefined
  readonly reporter?: Reporter | undefined
}

const refused = new WeakSet<FastifyRequest>()

/** Whether a request was ended, and told, by this exit. */
export function wasRefused(request: FastifyRequest): boolean {
  return refused.has(request)
}

/** The exit of requests that reached no operation: the same replies, events and reports as the pipeline's. */
export function refuser({ errorFormat, reporter }: RefuseOptions): Refuse {
  return function refuse(request, reply, thrown) {
    refused.add(request)
    const facts = errorFacts(thrown)
    const callId = callIdOf(request.raw.headers)
    const answer = errorReply(facts, errorFormat)
    send(reply, answer, callId)
    const { method } = request
    const url = pathToTell(request)
    if (facts.status >= 500) {
      const { errorId, error } = facts
      emit('request.crash', { callId, method, url, userId: undefined, errorId, error })
      reporter?.report(
        { title: `${method} ${url}`, error, errorId, level: 'fatal' },
        { ...contextOf(callId), request: bareSnapshot(request) },
      )
    }
    const { status, error } = answer
    emit('request.end', { callId, method, url, status, error, ms: 0, userId: undefined, tasks: 0 })
  }
}
