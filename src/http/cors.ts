import type { FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Any site (`*`), or these, such as `https://shop.example`. */
export type CorsOrigins = '*' | readonly string[]

/**
 * Lets pages of other sites call, and read the call id (Fetch Standard, CORS protocol). Sites that are named may send the cookie `token`; with `*` no site may.
 * Preflights are answered before anything else looks at them; any other OPTIONS goes its way.
 */
export async function addCors(app: FastifyInstance, origins: CorsOrigins): Promise<void> {
  // Loaded only where it is asked for.
  const { default: cors } = await import('@fastify/cors')
  const always: FastifyCorsOptions = {
    origin: origins === '*' ? '*' : [...origins],
    credentials: origins !== '*',
    methods: ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'],
    exposedHeaders: ['x-call-id', 'retry-after'],
    maxAge: preflightSeconds,
    preflight: false,
  }
  const preflight = { ...always, preflight: true }
  await app.register(cors, {
    delegator: (request, done) => done(null, isPreflight(request) ? preflight : always),
  })
}

/** How long browsers may remember the answer to a preflight. */
const preflightSeconds = 600

function isPreflight({ method, headers }: Pick<FastifyRequest, 'method' | 'headers'>): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  )
}
