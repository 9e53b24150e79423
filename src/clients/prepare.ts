import { show } from '../core/show.ts'
import { invalidCall } from './arguments.ts'
import type { CallOptions } from './client.ts'
import type { ClientOperation } from './operations.ts'
import { headersOf } from './request-headers.ts'
import type { ClientSettings } from './table.ts'
import type { WireRequest } from './wire.ts'

/** A call, ready to be sent. */
export interface Prepared {
  readonly operation: ClientOperation
  readonly request: WireRequest
  readonly options: CallOptions
  /** How many times more it may be tried. */
  readonly retries: number
}

/** The request of a call. @throws MacaronError `CLIENT_INVALID_CALL`, `TOKEN_EXPIRED`. */
export async function prepare(
  operation: ClientOperation,
  args: readonly unknown[],
  settings: ClientSettings,
): Promise<Prepared> {
  const { names } = operation
  const given = operation.arguments.split(args)
  const { parameters, body } = await operation.arguments.encode(given, names)
  const { path, query, headers } = parameters
  const { options } = given
  const own = headersOf(operation.operation, { settings, options, names })
  return {
    operation,
    options,
    retries: retriesOf(operation, options, settings),
    request: {
      method: operation.method,
      url: urlOf(`${path}${query === '' ? '' : `?${query}`}`, settings),
      headers: { ...own, ...body?.headers, ...headers },
      body: body?.bytes,
    },
  }
}

/** Nothing of a target can be another host: it begins with a slash, and what is filled in is escaped. */
function urlOf(target: string, { url }: ClientSettings): URL {
  return new URL(`${url.replace(/\/+$/, '')}${target}`)
}

function retriesOf({ names }: ClientOperation, { retries }: CallOptions, settings: ClientSettings): number {
  if (retries === undefined) return settings.retries
  if (Number.isInteger(retries) && retries >= 0) return retries
  const message = `must be a whole number from 0, not ${show(retries)}`
  throw invalidCall(names, [{ path: 'options.retries', message }])
}
