import { fromPeers } from '../harness/peers.ts'
import { benchSpec } from '../harness/places.ts'
import { sayReady } from '../harness/ready.ts'
import type { Payload } from './queue.ts'

/**
 * The endpoint on fastify-openapi-glue, as its documentation shows it: a plugin makes Fastify's routes and their schemas from the spec that our
 * service is run from. Bodies are checked. Replies are only written by their schemas, which is all that Fastify does with them, here as in
 * `fastify.ts`: a missing member is a 500, but a value of a wrong type is converted, not refused. `node fastify-openapi-glue.ts PORT`.
 */
interface Fastify {
  register(plugin: unknown, options: PluginOptions): void
  listen(where: { port: number; host: string }): Promise<string>
}

interface PluginOptions {
  readonly specification: string
  /** By `operationId`; operations without one answer 500. */
  readonly serviceHandlers: Readonly<Record<string, (request: { body: Payload }) => Promise<unknown>>>
}

const app = fromPeers<(options: { logger: false }) => Fastify>('fastify')({ logger: false })
app.register(fromPeers<{ fastifyOpenapiGlue: unknown }>('fastify-openapi-glue').fastifyOpenapiGlue, {
  specification: benchSpec,
  serviceHandlers: { 'bench.handlers.doPlain': async ({ body }) => ({ ok: true, id: body.name }) },
})
await app.listen({ port: Number(process.argv[2]), host: '127.0.0.1' })
sayReady()
