import { fromPeers } from '../harness/peers.ts'
import { sayReady } from '../harness/ready.ts'
import { openBullMq } from './bullmq.ts'
import { schema } from './endpoint-schema.ts'
import type { Payload } from './queue.ts'

/**
 * The endpoint as one writes it by hand: Fastify with schemas for body and reply, and, for `/fire`, `await queue.add()` before
 * the reply. `node fastify.ts PORT [REDIS PORT]`.
 */
interface Fastify {
  post(
    path: string,
    options: { schema: unknown },
    handler: (request: { body: Payload }) => Promise<Reply>,
  ): void
  get(path: string, handler: () => Promise<unknown>): void
  listen(where: { port: number; host: string }): Promise<string>
}

interface Reply {
  readonly ok: boolean
  readonly id: string
}

const [port, redisPort] = process.argv.slice(2)
const app = fromPeers<(options: { logger: false }) => Fastify>('fastify')({ logger: false })
app.get('/ping', async () => ({}))
app.post('/plain', { schema }, async ({ body }) => ({ ok: true, id: body.name }))
if (redisPort !== undefined) {
  const queue = await openBullMq(redisPort)
  app.post('/fire', { schema }, async ({ body }) => {
    await queue.add(body)
    return { ok: true, id: body.name }
  })
}
await app.listen({ port: Number(port), host: '127.0.0.1' })
sayReady()
