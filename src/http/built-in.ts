import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { presentedToken } from '../auth/credentials.ts'
import { asError } from '../core/errors.ts'
import { tookTooLong } from './deadlines.ts'
import type { HttpOptions } from './options.ts'
import type { Refuse } from './refuse.ts'
import type { Route } from './route.ts'
import { templateOf } from './template.ts'
import { versionOf } from './version.ts'

/**
 * An operation of every service: `/ping`, `/version` and `/auth/version` as in PyMacaron, `/health/live` and `/health/ready` for whoever keeps the
 * process running.
 */
export interface BuiltIn {
  readonly path: string
  /** What it throws ends the request as anywhere else. */
  answer(request: FastifyRequest): Promise<BuiltInAnswer> | BuiltInAnswer
}

interface BuiltInAnswer {
  readonly status: number
  readonly body: object
}

export interface BuiltInOptions
  extends Pick<
    HttpOptions,
    'apis' | 'env' | 'health' | 'name' | 'onPing' | 'production' | 'requestTimeoutMs' | 'tokens' | 'version'
  > {
  readonly routes: readonly Route[]
  readonly isClosing: () => boolean
}

/** The built-in operations that no spec claims for itself. */
export function builtInsBeside(options: BuiltInOptions): readonly BuiltIn[] {
  const reads = options.routes.filter(({ operation }) => ['get', 'head'].includes(operation.method))
  const claimed = new Set(reads.map(({ operation }) => operation.path))
  return builtIns(options).filter((builtIn) => !claimed.has(builtIn.path))
}

/** Methods of every built-in operation. */
export const builtInMethods = ['GET', 'HEAD']

/** Lets the router serve them. */
export function addBuiltIns(app: FastifyInstance, added: readonly BuiltIn[], refuse: Refuse): void {
  for (const builtIn of added) {
    app.route({
      method: builtInMethods,
      url: templateOf(builtIn.path).pattern,
      onRequest: (request: FastifyRequest, reply: FastifyReply) =>
        void answer(builtIn, request, reply).catch((error: unknown) => refuse(request, reply, error)),
      handler: () => undefined,
    })
  }
}

function builtIns(options: BuiltInOptions): readonly BuiltIn[] {
  const { tokens, isClosing } = options
  const version = { status: 200, body: versionOf(options) }
  return [
    { path: '/ping', answer: () => ping(options) },
    { path: '/version', answer: () => version },
    ...(tokens === undefined
      ? []
      : [{ path: '/auth/version', answer: (request: FastifyRequest) => verified(request, tokens, version) }]),
    { path: '/health/live', answer: () => ({ status: 200, body: { ok: true } }) },
    { path: '/health/ready', answer: () => (isClosing() ? closing : readiness(options)) },
  ]
}

async function ping({ onPing, requestTimeoutMs = 30_000 }: BuiltInOptions): Promise<BuiltInAnswer> {
  if (onPing !== undefined) await within(requestTimeoutMs, async () => onPing())
  return { status: 200, body: {} }
}

/** 0: any time. @throws RequestError 408 `REQUEST_TIMEOUT`. */
async function within(ms: number, work: () => Promise<unknown>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = ms === 0 ? undefined : setTimeout(() => reject(tookTooLong(ms)), ms)
  await Promise.race([work(), late]).finally(() => clearTimeout(timer))
}

async function verified(
  { raw }: FastifyRequest,
  tokens: NonNullable<HttpOptions['tokens']>,
  version: BuiltInAnswer,
): Promise<BuiltInAnswer> {
  await tokens.verify(presentedToken(raw.headers))
  return version
}

const closing: BuiltInAnswer = { status: 503, body: { ok: false, reasons: ['The server is stopping'] } }

async function readiness({
  health,
  production,
}: Pick<BuiltInOptions, 'health' | 'production'>): Promise<BuiltInAnswer> {
  if (health === undefined) return { status: 200, body: { ok: true, reasons: [] } }
  try {
    const found = await health()
    // Sentences name files and hosts: they are for `macaron health` and the log.
    const { reasons: _reasons, warnings: _warnings, ...figures } = found
    // Tasks that wait are no reason to send requests elsewhere: those are answered, and stored.
    return { status: found.storing ? 200 : 503, body: production ? figures : found }
  } catch (error) {
    const why = production ? '' : `: ${asError(error).message}`
    return { status: 503, body: { ok: false, reasons: [`The task store did not tell its state${why}`] } }
  }
}

async function answer(builtIn: BuiltIn, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { status, body } = await builtIn.answer(request)
  reply
    .code(status)
    .header('content-type', 'application/json; charset=utf-8')
    .header('cache-control', 'no-store')
  reply.send(JSON.stringify(body))
}
