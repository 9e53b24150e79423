import { type Config, currentConfig } from './config.ts'
import { now } from './core/clock.ts'
import { type Context, currentContext, type Token, type User, withContext } from './core/context.ts'
import { MacaronError } from './core/errors.ts'
import { tokensOf } from './tokens.ts'

/**
 * Runs `fn` as somebody else: `currentUser()` is this user, `currentToken()` a fresh token for it (a day long), and both travel with what is fired inside.
 * What is fired belongs to the scope around it. PyMacaron's scoped `backend_token`.
 * @throws MacaronError `NO_CONTEXT` outside a request, task or script scope, `BAD_TOKEN_OPTIONS` for a user without `sub`.
 */
export async function asUser<T>(user: User & { readonly sub: string }, fn: () => T | Promise<T>): Promise<T> {
  const outer = currentContext()
  if (outer === undefined) {
    throw new MacaronError(
      'NO_CONTEXT',
      'asUser and asSystem were called outside a request, a task and a script scope; call them inside one',
    )
  }
  const token = await tokenFor(user, currentConfig('asUser()'))
  return await withContext(actingContext(outer, user, token), fn)
}

/** Runs `fn` as the service itself: as user `default_user_id`, or `system` where none is configured. Otherwise like `asUser`. */
export async function asSystem<T>(fn: () => T | Promise<T>): Promise<T> {
  return await asUser({ sub: currentConfig('asSystem()').default_user_id ?? 'system' }, fn)
}

/** Services that have nothing to do with tokens need no secret for this. */
async function tokenFor(
  { sub, ...claims }: User & { readonly sub: string },
  config: Config,
): Promise<Token | undefined> {
  if (config.production && config.jwt_secret === undefined) return undefined
  const raw = await tokensOf(config).sign({ userId: sub, data: claims, expiresIn: lifeSeconds })
  return { raw, expiresAt: now() + lifeSeconds * 1000 }
}

const lifeSeconds = 86_400

function actingContext(outer: Context, user: User, token: Token | undefined): Context {
  const { callId, startedAt, trace, traceState, values, task, deadline, scope } = outer
  return {
    callId,
    startedAt,
    user,
    assumed: true,
    token,
    trace,
    traceState,
    values,
    task,
    deadline,
    scope,
    text: undefined,
    // Made only when asked for.
    get request() {
      return outer.request
    },
    get signal() {
      return outer.signal
    },
  }
}
