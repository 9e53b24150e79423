import { currentContext, currentToken } from '../core/context.ts'
import type { Operation, ValueFault } from '../spec/api.ts'
import { invalidCall } from './arguments.ts'
import type { CallOptions } from './client.ts'
import type { CallNames } from './errors.ts'
import { headerFault } from './header-fault.ts'
import type { ClientSettings } from './table.ts'

/** What tells the other service who calls: token, call id and trace of the context, the headers of the configuration and of the call. */

/**
 * The headers of a call, besides those of its parameters and body; the later of these win: context, configuration, call.
 * @throws MacaronError `TOKEN_EXPIRED` where the caller's token has ended since, `CLIENT_INVALID_CALL`.
 */
export function headersOf(
  { takesToken }: Operation,
  { settings, options, names }: { settings: ClientSettings; options: CallOptions; names: CallNames },
): Record<string, string> {
  const own = checkedHeaders(options, names)
  const headers = { ...contextHeaders(settings), ...settings.headers, ...own }
  const wantsToken = takesToken && settings.passToken && headers.authorization === undefined
  if (options.token === undefined && wantsToken) return withToken(headers, currentToken())
  if (options.token === false) return withToken(headers, own.authorization)
  return options.token === undefined ? headers : withToken(headers, options.token)
}

function contextHeaders({ userAgent }: ClientSettings): Record<string, string> {
  const context = currentContext()
  return {
    accept: 'application/json, */*;q=0.5',
    // What comes is read as it is: a compressed bomb would have to be unpacked to be measured.
    'accept-encoding': 'identity',
    'user-agent': userAgent,
    ...(context === undefined ? {} : { 'x-call-id': context.callId }),
    ...(context?.trace === undefined ? {} : { traceparent: context.trace }),
    ...(context?.traceState === undefined ? {} : { tracestate: context.traceState }),
  }
}

function withToken(headers: Record<string, string>, token: string | undefined): Record<string, string> {
  const { authorization: _, ...others } = headers
  if (token === undefined) return others
  return { ...others, authorization: /\s/.test(token) ? token : `Bearer ${token}` }
}

function checkedHeaders({ headers = {}, token }: CallOptions, names: CallNames): Record<string, string> {
  const faults: ValueFault[] = []
  for (const [name, value] of Object.entries(headers)) {
    const message = headerFault(name, value)
    if (message !== undefined) faults.push({ path: `headers.${name}`, message })
  }
  const message = typeof token === 'string' ? headerFault('authorization', token) : undefined
  if (message !== undefined) faults.push({ path: 'token', message })
  if (faults.length > 0) throw invalidCall(names, faults)
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
