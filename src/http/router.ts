import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import Fastify, { type FastifyError, type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { MacaronError, RequestError } from '../core/errors.ts'
import { STATUS_CODES } from '../core/node-http.ts'
import type { NotFound } from './not-found.ts'
import type { Refuse } from './refuse.ts'

export interface RouterOptions {
  readonly server: Server
  /** Told of connections that carry no readable HTTP. */
  readonly onBroken: (error: Error, socket: Socket) => void
  readonly notFound: NotFound
  readonly refuse: Refuse
  /** The service has routes of its own, which want Fastify's parsing of bodies and queries. */
  readonly ownRoutes: boolean
}

type Compilers = NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>
type ValidatorFactory = NonNullable<Compilers['buildValidator']>

/** Fastify as we use it: it routes and writes replies; parsing, validating and serialising are the pipeline's. */
export function openRouter(options: RouterOptions): FastifyInstance {
  const { server, onBroken, notFound, refuse, ownRoutes } = options
  const app = Fastify({
    serverFactory: (handler) => server.on('request', handler),
    exposeHeadRoutes: false,
    routerOptions: {
      // Fastify's own 100 is too short for many an id; much more would feed its regular expressions too well.
      maxParamLength: 2048,
      // The pipeline decodes the query by the spec.
      ...(ownRoutes ? {} : { querystringParser: () => noQuery }),
    },
    clientErrorHandler: onBroken,
    ...(ownRoutes ? {} : withoutCompilers),
    frameworkErrors: (error, request, reply) => refuse(request, reply, requestError(error)),
  })
  if (!ownRoutes) app.removeAllContentTypeParsers()
  app.setErrorHandler((error: FastifyError, request, reply) => refuse(request, reply, requestError(error)))
  app.setNotFoundHandler((request, reply) => {
    const error = notFound.answer(request, reply)
    if (error !== undefined) refuse(request, reply, error)
  })
  return app
}

const noQuery = {}

/** Fastify's own compilers of schemas are a hundred modules, and nothing of ours asks for them. */
const withoutCompilers = {
  schemaController: {
    compilersFactory: {
      // Fastify's type of a validator is Ajv's own; this one is never called.
      buildValidator: (() => () => () => true) as unknown as ValidatorFactory,
      buildSerializer: () => () => JSON.stringify,
    },
  },
}

/** Fastify's own refusals in our words. */
function requestError(error: FastifyError): Error {
  switch (error.code) {
    case 'FST_ERR_BAD_URL':
      return new RequestError('BAD_URL', 'The path of the request is not percent-encoded UTF-8', {
        status: 400,
        cause: error,
      })
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new RequestError('URL_TOO_LONG', 'A part of the path is too long', { status: 414, cause: error })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new RequestError('UNSUPPORTED_MEDIA_TYPE', 'The Content-Type is not readable', {
        status: 415,
        cause: error,
      })
    default:
      return pluginRefusal(error) ?? error
  }
}

/** What a plugin or hook of the service refuses with (429, say) is meant for the caller; anything of 500 or more is a crash. */
function pluginRefusal(error: FastifyError): RequestError | undefined {
  if (error instanceof MacaronError) return undefined
  const { statusCode: status, message } = error
  if (status === undefined || status < 400 || status > 499) return undefined
  const code = (STATUS_CODES[status] ?? 'Refused').toUpperCase().replace(/[^A-Z]+/g, '_')
  return new RequestError(code, message, { status, cause: error })
}
