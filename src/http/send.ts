import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { Answer } from './answer.ts'

/** Writes a reply by way of Fastify and its hooks. */
export function send(reply: FastifyReply, answer: Answer, callId: string): void {
  if (isPast(reply.raw)) return
  reply.code(answer.status)
  if (answer.json && answer.payload !== undefined) reply.header('content-type', jsonType)
  reply.header('x-call-id', callId)
  for (const name in answer.headers) reply.header(name, answer.headers[name])
  reply.send(answer.payload)
}

/** Writes JSON as Fastify would where no hook looks at replies, for a twentieth less of what a request costs. */
export function sendJson(reply: ServerResponse, answer: JsonAnswer, callId: string): void {
  if (isPast(reply)) return
  const { status, payload } = answer
  const headers: OutgoingHttpHeaders = {
    'content-type': jsonType,
    'x-call-id': callId,
    'content-length': Buffer.byteLength(payload),
  }
  for (const name in answer.headers) headers[name] = linesOf(answer.headers[name])
  reply.writeHead(status, headers).end(payload)
}

/** JSON of the usual type, with a status that has a body. */
type JsonAnswer = Answer & { readonly payload: string }

/** Whether `sendJson` is a way for an answer. */
export function isPlainJson(answer: Answer): answer is JsonAnswer {
  const { json, payload, status, headers } = answer
  if (!json || typeof payload !== 'string') return false
  return status !== 204 && status !== 304 && headers['content-type'] === undefined
}

const jsonType = 'application/json; charset=utf-8'

function linesOf(value: string | readonly string[] | undefined): string | string[] | undefined {
  return typeof value === 'object' ? [...value] : value
}

function isPast(reply: ServerResponse): boolean {
  return reply.destroyed || reply.headersSent
}
