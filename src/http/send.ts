import type { FastifyReply } from 'fastify'
import type { Answer } from './answer.ts'

/** Writes a reply. The only place that does. */
export function send(reply: FastifyReply, answer: Answer, callId: string): void {
  if (reply.raw.destroyed || reply.raw.headersSent) return
  reply.code(answer.status)
  if (answer.json && answer.payload !== undefined)
    reply.header('content-type', 'application/json; charset=utf-8')
  reply.header('x-call-id', callId)
  for (const name in answer.headers) reply.header(name, answer.headers[name])
  reply.send(answer.payload)
}
