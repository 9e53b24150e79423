import type { FastifyRequest } from 'fastify'
import { isSecretName } from '../core/secrets.ts'
import { shownPath } from '../core/shown-url.ts'
import type { Route } from './route.ts'

/** What may be told of a request that the pipeline hasn't seen. */

/** The template of its route, parameters in braces; its path, where it has none. */
export function templateOfRequest({ routeOptions, raw }: FastifyRequest): string {
  const { url = pathOf(raw.url), config } = routeOptions
  // An operation's is the spec's: the router's has other names.
  return config.route?.operation.path ?? url.replace(/:(\w+)/g, '{$1}')
}

/** Its path without secret parameters. */
export function pathToTell(request: FastifyRequest): string {
  const path = pathOf(request.raw.url)
  const { route } = request.routeOptions.config
  return route?.shownPath(path) ?? shownPath(path, templateOfRequest(request), isSecretName)
}

function pathOf(url = ''): string {
  return url.split(/[?#]/, 1)[0] ?? ''
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of an operation. */
    readonly route?: Route
  }
}
