import type { Server } from 'node:http'
import { answerInMemory } from '../harness/in-memory.ts'
import { fromPeers } from '../harness/peers.ts'
import { schema } from './endpoint-schema.ts'
import type { Payload } from './queue.ts'

/** The endpoint of `fastify.ts` without a port. */
interface Fastify {
  readonly server: Server
  post(
    path: string,
    options: { schema: unknown },
    handler: (request: { body: Payload }) => Promise<unknown>,
  ): void
  ready(): Promise<unknown>
}

const app = fromPeers<(options: { logger: false }) => Fastify>('fastify')({ logger: false })
app.post('/plain', { schema }, async ({ body }) => ({ ok: true, id: body.name }))
await app.ready()
answerInMemory(app.server)
