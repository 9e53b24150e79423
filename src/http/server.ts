import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { asError } from '../core/errors.ts'
import type { Stoppable } from '../core/lifecycle.ts'
import { createServer } from '../core/node-http.ts'
import { addBuiltIns, type BuiltIn, builtInMethods, builtInsBeside } from './built-in.ts'
import { clientErrors } from './client-errors.ts'
import { Connections } from './connections.ts'
import { Docs, docsMethods } from './docs.ts'
import { listenError } from './listen-error.ts'
import { type KnownPath, NotFound } from './not-found.ts'
import type { HttpOptions } from './options.ts'
import { Pipeline } from './pipeline.ts'
import { addPlugins } from './plugins.ts'
import { refuser } from './refuse.ts'
import type { Route } from './route.ts'
import { openRouter } from './router.ts'
import { addRoutes, addRoutesBehindHooks, routesOf } from './routes.ts'

/** A server that accepts requests. */
export interface HttpServer extends Stoppable {
  readonly address: HttpAddress
  /** Serves a request without a connection. */
  readonly inject: FastifyInstance['inject']
}

export interface HttpAddress {
  readonly host: string
  readonly port: number
  /** For people: `http://localhost:8080`. */
  readonly url: string
}

/**
 * Serves the bound operations of the given APIs; resolves when the port is open.
 * @throws SetupError `JWT_SECRET_MISSING`, `SERVICE_PLUGIN_FAILED`, `PORT_IN_USE`, `PORT_FORBIDDEN` or `LISTEN_FAILED`.
 */
export async function openHttp(options: HttpOptions): Promise<HttpServer> {
  const { server, ...http } = await buildHttp(options)
  return { ...http, address: await listen(server, options) }
}

/** The same without a port: `inject` is the only way in. @throws SetupError `JWT_SECRET_MISSING`. */
export async function buildHttp(
  options: HttpOptions,
): Promise<Omit<HttpServer, 'address'> & { readonly server: Server }> {
  const routes = routesOf(options)
  const pipeline = new Pipeline(options)
  const server = nodeServer(options)
  const connections = new Connections(server)
  const isClosing = () => pipeline.isClosing
  const builtIns = builtInsBeside({ ...options, routes, isClosing })
  const refuse = refuser(options)
  const docs = new Docs({ ...options, refuse })
  const docsPaths = options.docs === true ? docs.pathsBeside(routes) : []
  const notFound = new NotFound(knownPaths(routes, builtIns, docsPaths))
  const onBroken = clientErrors(connections, pipeline.inFlight)
  const ownRoutes = options.plugins !== undefined
  const app = openRouter({ server, onBroken, notFound, refuse, ownRoutes })
  await addPlugins(app, options)
  if (ownRoutes) addRoutesBehindHooks(app, routes, pipeline)
  else addRoutes(app, routes, pipeline)
  addBuiltIns(app, builtIns, refuse)
  docs.add(app, docsPaths)
  await app.ready()
  connections.leaveUpgrades()
  let stopped: Promise<void> | undefined
  return {
    server,
    inject: app.inject.bind(app),
    stop() {
      const ms = options.stopTimeoutMs ?? 10_000
      stopped ??= connections.end({ pipeline, ms, closePlugins: () => app.close() })
      return stopped
    },
  }
}

function nodeServer(options: HttpOptions): Server {
  return createServer({
    headersTimeout: options.headersTimeoutMs ?? 20_000,
    requestTimeout: options.arrivalTimeoutMs ?? 60_000,
    keepAliveTimeout: options.keepAliveTimeoutMs ?? 72_000,
    // How often the two times above are looked at.
    connectionsCheckingInterval: Math.min(5_000, options.headersTimeoutMs ?? 5_000),
    maxHeaderSize: 16_384,
  })
}

function knownPaths(
  routes: readonly Route[],
  builtIns: readonly BuiltIn[],
  docsPaths: readonly string[],
): readonly KnownPath[] {
  return [
    ...routes.map(({ operation }) => ({ path: operation.path, methods: [operation.method.toUpperCase()] })),
    ...builtIns.map(({ path }) => ({ path, methods: builtInMethods })),
    ...docsPaths.map((path) => ({ path, methods: docsMethods })),
  ]
}

async function listen(server: Server, options: HttpOptions): Promise<HttpAddress> {
  const host = options.host ?? '0.0.0.0'
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ host, port: options.port, reusePort: options.reusePort ?? false }, resolve)
  await promise.catch((error: unknown) => {
    throw listenError(asError(error), host, options.port)
  })
  server.off('error', reject)
  // A server that listens on a port has an address of this form; only pipes have others.
  const { port } = server.address() as AddressInfo
  return addressOf(host, port)
}

/** The address of a port for programs and people. */
export function addressOf(host: string, port: number): HttpAddress {
  return { host, port, url: `http://${shownHost(host)}:${port}` }
}

function shownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
