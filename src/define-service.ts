import type { FastifyInstance } from 'fastify'
import type { ErrorReporter } from './core/report.ts'
import type { ErrorFormat } from './http/error-format.ts'

/** In which kind of process a service's modules find themselves; `test` is all of them in one (`testService`). Workers load none of them. */
export type ServiceRole = 'server' | 'executor' | 'script' | 'test'

/**
 * What a service can say in `service.ts`, all of it optional. It is loaded before handlers and tasks, by servers, executors and scripts
 * (`openService`).
 */
export interface ServiceDefinition {
  /**
   * Adds Fastify plugins, hooks and routes; in servers only. Hooks up to `preHandler` run before Macaron looks at the request (body unread, nobody
   * authenticated), `onSend` and `onResponse` after.
   */
  register?(fastify: FastifyInstance): unknown
  /** Runs once everything is loaded, before the first request or task; what it throws ends the start. */
  onStart?(process: ServiceProcess): unknown
  /** Runs when the process stops, after its last request or task. */
  onStop?(process: ServiceProcess): unknown
  /** Asked by `GET /ping`: what it throws is the reply. */
  onPing?(): unknown
  /**
   * Told of every request that ended with 500 or more, every task that failed, slow calls, and what `reportError` and `reportWarning` say. Runs after the
   * reply, in the context of the request or task; nobody waits for it.
   */
  readonly errorReporter?: ErrorReporter
  /** Gives error replies another form than PyMacaron's JSON. */
  readonly errorFormat?: ErrorFormat
}

/** Where a hook runs. */
export interface ServiceProcess {
  readonly role: ServiceRole
}

/** Types what `service.ts` exports: `export const service = defineService({ … })`. */
export function defineService(definition: ServiceDefinition): ServiceDefinition {
  return definition
}
