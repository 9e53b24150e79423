import { setTimeout as delay } from 'node:timers/promises'
import { MacaronError } from '../core/errors.ts'
import { reportError } from '../core/reporting.ts'
import type { Handler } from '../spec/bindings.ts'
import { models } from '../spec/model-registry.ts'
import { reply } from './reply.ts'
import { type VersionFacts, versionOf } from './version.ts'

export interface OwnHandlersOptions extends VersionFacts {
  readonly onPing: (() => unknown) | undefined
  /** What counts as slow, in ms; 0: nothing does. */
  readonly slowCallMs: number
}

/**
 * The functions that PyMacaron's own specs are bound to (`pymacaron.api.do_ping`), for services that have those specs among theirs. A module
 * `pymacaron/api.ts` of the service comes before them.
 */
export function ownHandlers(options: OwnHandlersOptions): ReadonlyMap<string, Handler> {
  const { onPing, slowCallMs } = options
  const handlers: Readonly<Record<string, Handler>> = {
    do_ping: async () => {
      await onPing?.()
      return {}
    },
    do_version: () => versionOf(options),
    // Not one of ours, as a bug would throw it.
    do_crash_internal_exception: () => JSON.parse('this failure was asked for'),
    do_crash_pymacaron_exception: () => {
      throw new CrashOnDemand()
    },
    do_crash_report_error: () => {
      reportError('This error was asked for: it is reported, and the call goes on')
      return {}
    },
    do_crash_slow_call: async () => {
      await delay(slowCallMs + 100)
      return {}
    },
    do_crash_return_error_instance: () => new CrashOnDemand(),
    do_crash_return_fatal_error_response: () => reply(500, errorBody(500)),
    do_crash_return_non_fatal_error_response: () => reply(401, errorBody(401)),
    do_crash_return_error_model: () => errorModel() ?? reply(500, errorBody(500)),
  }
  return new Map(Object.entries(handlers).map(([name, handler]) => [`pymacaron.api.${name}`, handler]))
}

/** What `/crash/pymacaronexception` throws: an error that says by itself what the caller gets. */
class CrashOnDemand extends MacaronError {
  constructor() {
    super('CRASH_ON_DEMAND', 'This error was asked for', {
      status: 500,
      userMessage: 'Something went wrong, as you wished.',
    })
  }
}

function errorBody(status: number) {
  return { status, error: 'CRASH_ON_DEMAND', error_description: 'This error was asked for' }
}

/** The model of the service's own crash API, where it has one. */
function errorModel(): unknown {
  const model = models.find('crash', 'Error')
  return model?.from(errorBody(500))
}
