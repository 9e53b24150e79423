import type { Api, Operation } from '../spec/api.ts'
import type { Bindings, Handler } from '../spec/bindings.ts'

/**
 * `/crash/*`: one operation for each way to go wrong, so that error replies and reports can be tried on a running service. PyMacaron's crash API; served
 * with `crash_endpoints: true`.
 */
export interface CrashApi {
  readonly api: Api
  readonly bindings: Bindings
}

const functions: Readonly<Record<string, string>> = {
  '/crash/internalexception': 'do_crash_internal_exception',
  '/crash/pymacaronexception': 'do_crash_pymacaron_exception',
  '/crash/reporterror': 'do_crash_report_error',
  '/crash/slowcall': 'do_crash_slow_call',
  '/crash/returnerrorinstance': 'do_crash_return_error_instance',
  '/crash/returnfatalerrorresponse': 'do_crash_return_fatal_error_response',
  '/crash/returnnonfatalerrorresponse': 'do_crash_return_non_fatal_error_response',
  '/crash/returnerrormodel': 'do_crash_return_error_model',
}

/** The operations that no API of the service has already. */
export function crashApi(apis: readonly Api[], handlers: ReadonlyMap<string, Handler>): CrashApi {
  const taken = new Set(apis.flatMap(({ operations }) => operations.map(({ path }) => path)))
  const bound = Object.entries(functions).flatMap(([path, name]) => {
    const binding = `pymacaron.api.${name}`
    const handler = handlers.get(binding)
    return taken.has(path) || handler === undefined
      ? []
      : [{ operation: operationOf(path, binding), handler }]
  })
  return {
    api: {
      name: 'macaron.crash',
      file,
      title: 'Failures on demand',
      version: '1',
      operations: bound.map(({ operation }) => operation),
      schemas: {},
      schemasAt: '/definitions',
      parts: {},
    },
    bindings: new Map(bound.map(({ operation, handler }) => [operation, { handler, decorators: [] }])),
  }
}

/** It stands in no file of the service. */
const file = 'macaron:crash'

function operationOf(path: string, binding: string): Operation {
  return {
    api: 'macaron.crash',
    method: 'get',
    path,
    operationId: undefined,
    binding,
    served: true,
    summary: undefined,
    decorators: [],
    authenticated: false,
    takesToken: false,
    parameters: [],
    body: undefined,
    replies: {},
    replyMedia: {},
    place: { file, pointer: '' },
  }
}
