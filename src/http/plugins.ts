import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { asError, SetupError } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import { pathToTell } from './bare-request.ts'
import { callIdOf } from './call-id.ts'
import { addCors } from './cors.ts'
import type { HttpOptions } from './options.ts'
import { wasRefused } from './refuse.ts'

/** The service's own Fastify plugins, hooks and routes. */
export interface ServicePlugins {
  /** The file they stand in. */
  readonly file: string
  register(fastify: FastifyInstance): unknown
}

/**
 * Adds what stands around the pipeline: CORS, compression, then the service's own. What isn't asked for isn't loaded and costs no request anything.
 * @throws SetupError `SERVICE_PLUGIN_FAILED`.
 */
export async function addPlugins(
  app: FastifyInstance,
  { cors, compress, plugins }: Pick<HttpOptions, 'cors' | 'compress' | 'plugins'>,
): Promise<void> {
  if (cors !== undefined) await addCors(app, cors)
  if (compress === true) await addCompression(app)
  if (plugins !== undefined) await addOwn(app, plugins)
}

async function addCompression(app: FastifyInstance): Promise<void> {
  const { default: compress } = await import('@fastify/compress')
  // Requests stay as they are: a small body that grows to gigabytes is an attack.
  await app.register(compress, { globalDecompression: false, encodings: ['br', 'gzip'] })
}

async function addOwn(app: FastifyInstance, { file, register }: ServicePlugins): Promise<void> {
  let isOwn = true
  app.addHook('onRoute', (route) => {
    if (isOwn) route.onResponse = [...hooksOf(route.onResponse), tellEnd]
  })
  try {
    await register(app)
    // Plugins that were registered without waiting are loaded by this.
    await app.after()
  } catch (error) {
    throw pluginFault(file, error)
  }
  isOwn = false
}

function hooksOf<Hook>(given: Hook | Hook[] | undefined): readonly Hook[] {
  if (given === undefined) return []
  return Array.isArray(given) ? given : [given]
}

/** A route of the service's own has its line in the log like any operation. */
function tellEnd(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  if (!wasRefused(request)) {
    emit('request.end', {
      callId: callIdOf(request.raw.headers),
      method: request.method,
      url: pathToTell(request),
      status: reply.statusCode,
      error: undefined,
      ms: reply.elapsedTime,
      userId: undefined,
      tasks: 0,
    })
  }
  done()
}

function pluginFault(file: string, thrown: unknown): SetupError {
  if (thrown instanceof SetupError) return thrown
  const { message } = asError(thrown)
  return new SetupError('SERVICE_PLUGIN_FAILED', [
    { file, message: `A Fastify plugin, hook or route of \`register\` can't be added: ${message}` },
  ])
}
