import type { FastifyInstance, FastifyReply } from 'fastify'
import { asError } from '../core/errors.ts'
import type { HttpOptions } from './options.ts'
import type { Route } from './route.ts'
import { templateOf } from './template.ts'

/** An operation of every service: `/ping` for people, `/health/live` and `/health/ready` for whoever keeps the process running. */
export interface BuiltIn {
  readonly path: string
  answer(): Promise<BuiltInAnswer> | BuiltInAnswer
}

interface BuiltInAnswer {
  readonly status: number
  readonly body: object
}

export interface BuiltInOptions {
  readonly production: boolean
  readonly routes: readonly Route[]
  readonly health: HttpOptions['health']
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
export function addBuiltIns(app: FastifyInstance, added: readonly BuiltIn[]): void {
  for (const builtIn of added) {
    app.route({
      method: builtInMethods,
      url: templateOf(builtIn.path).pattern,
      onRequest: (_request: unknown, reply: FastifyReply) => void answer(builtIn, reply),
      handler: () => undefined,
    })
  }
}

function builtIns({ health, production, isClosing }: BuiltInOptions): readonly BuiltIn[] {
  return [
    { path: '/ping', answer: () => ({ status: 200, body: {} }) },
    { path: '/health/live', answer: () => ({ status: 200, body: { ok: true } }) },
    { path: '/health/ready', answer: () => (isClosing() ? closing : readiness({ health, production })) },
  ]
}

const closing: BuiltInAnswer = { status: 503, body: { ok: false, reasons: ['The server is stopping'] } }

async function readiness({
  health,
  production,
}: Pick<BuiltInOptions, 'health' | 'production'>): Promise<BuiltInAnswer> {
  if (health === undefined) return { status: 200, body: { ok: true, reasons: [] } }
  try {
    const found = await health()
    // Reasons name files and hosts: they are for `macaron health` and the log.
    const { reasons: _reasons, ...figures } = found
    return { status: found.ok ? 200 : 503, body: production ? figures : found }
  } catch (error) {
    const why = production ? '' : `: ${asError(error).message}`
    return { status: 503, body: { ok: false, reasons: [`The task store did not tell its state${why}`] } }
  }
}

async function answer(builtIn: BuiltIn, reply: FastifyReply): Promise<void> {
  const { status, body } = await builtIn.answer()
  reply
    .code(status)
    .header('content-type', 'application/json; charset=utf-8')
    .header('cache-control', 'no-store')
  reply.send(JSON.stringify(body))
}
