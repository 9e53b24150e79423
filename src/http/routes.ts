import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { MacaronError } from '../core/errors.ts'
import { Exchange } from './exchange.ts'
import type { HttpOptions } from './options.ts'
import type { Pipeline } from './pipeline.ts'
import { Route } from './route.ts'
import { missingTokens } from './stages/authenticate.ts'
import { templateOf } from './template.ts'

/** The routes of all bound operations. @throws SetupError `JWT_SECRET_MISSING`. */
export function routesOf(options: HttpOptions): readonly Route[] {
  const routes = [...options.apis, ...(options.ownApis ?? [])].flatMap((api) =>
    api.operations.flatMap((operation) => {
      const binding = options.bindings.get(operation)
      if (binding === undefined) return []
      const template = templateOf(operation.path)
      return [new Route({ api, operation, template, binding, checksOf: options.checksOf })]
    }),
  )
  const unverifiable = routes.find((route) => route.operation.authenticated)
  if (unverifiable !== undefined && options.tokens === undefined) throw missingTokens(unverifiable)
  return routes
}

/** Lets the router hand requests to the pipeline. Of templates it can't tell apart it takes the first: the more special ones go first. */
export function addRoutes(app: FastifyInstance, routes: readonly Route[], pipeline: Pipeline): void {
  for (const route of bySpeciality(routes)) {
    app.route({
      ...addressOf(route),
      // The pipeline answers by itself, from here: Fastify's next step would look at the body's type before our authentication does.
      onRequest: (request: FastifyRequest, reply: FastifyReply) => {
        void pipeline.serve(new Exchange(route, request, reply))
      },
      handler: unreachable,
    })
  }
}

/** The same for a service with hooks of its own: all of them that come before a handler run first, and leave the body to the pipeline. */
export function addRoutesBehindHooks(
  app: FastifyInstance,
  routes: readonly Route[],
  pipeline: Pipeline,
): void {
  app.register(async (behind) => {
    behind.removeAllContentTypeParsers()
    behind.addContentTypeParser('*', (_request, _payload, done) => done(null))
    for (const route of bySpeciality(routes)) {
      behind.route({
        ...addressOf(route),
        handler: (request, reply) => void pipeline.serve(new Exchange(route, request, reply)),
      })
    }
  })
}

function bySpeciality(routes: readonly Route[]): readonly Route[] {
  return routes.toSorted((one, other) => other.template.literals - one.template.literals)
}

function addressOf(route: Route) {
  const { operation, template } = route
  return {
    method: operation.method.toUpperCase(),
    url: template.pattern,
    exposeHeadRoute: false,
    config: { route },
  }
}

function unreachable(): never {
  throw new MacaronError('PIPELINE_SKIPPED', 'A request went past the HTTP pipeline')
}
