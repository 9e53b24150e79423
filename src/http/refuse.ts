import type { FastifyReply, FastifyRequest } from 'fastify'
import { emit } from '../core/events.ts'
import { callIdOf } from './call-id.ts'
import { type ErrorFacts, errorAnswer, errorFacts } from './errors.ts'
import { send } from './send.ts'

/** Ends a request that reached no operation with an error, through the same exit as the pipeline's. */
export function refuse(request: FastifyRequest, reply: FastifyReply, thrown: unknown): void {
  const facts = errorFacts(thrown)
  const callId = callIdOf(request.raw.headers)
  send(reply, errorAnswer(facts), { callId, last: false })
  const { method, url } = { method: request.method, url: request.raw.url?.split('?', 1)[0] ?? '' }
  if (facts.status >= 500) reportCrash(facts, { callId, method, url })
  const { status, code } = facts
  emit('request.end', { callId, method, url, status, error: code, ms: 0, userId: undefined, tasks: 0 })
}

function reportCrash(facts: ErrorFacts, request: { callId: string; method: string; url: string }): void {
  const { errorId, error } = facts
  emit('request.crash', { ...request, userId: undefined, errorId, error })
}
