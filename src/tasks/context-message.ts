import {
  type Context,
  openScope,
  type RequestSnapshot,
  type RunningTask,
  type Token,
  type User,
} from '../core/context.ts'
import { MessageError } from '../core/errors.ts'
import { decode, encode, type ModelCodec } from './codec.ts'
import type { TaskRuntime } from './runtime.ts'
import type { Seal } from './seal.ts'

/** How a context travels: a JSON text, sealed once per request and again only after `setContext`. */
export function sealedContext(context: Context, runtime: TaskRuntime): string {
  context.sealed ??= runtime.seal.sealContext(contextText(context, runtime))
  return context.sealed
}

interface Travelling {
  readonly callId: string
  readonly request?: RequestSnapshot
  readonly user?: User
  readonly token?: Token
  readonly trace?: string
  /** The codec's form: values may be Dates, Maps or models. */
  readonly values?: string
}

function contextText(context: Context, runtime: TaskRuntime): string {
  const { callId, request, user, token, trace, values } = context
  // JSON leaves out what is undefined.
  return JSON.stringify({
    callId,
    request,
    user,
    token: runtime.contextToken ? token : undefined,
    trace,
    values: Object.keys(values).length === 0 ? undefined : encodeValues(values, runtime),
  })
}

function encodeValues(values: Readonly<Record<string, unknown>>, runtime: TaskRuntime): string {
  return encode(values, { models: runtime.models, maxBytes: runtime.maxBytes, what: 'context value' })
}

/** A context read back, to which each attempt adds its own scope and task. */
export type OpenedContext = Omit<Context, 'scope' | 'task'>

/** Opens a sealed context. @throws MessageError `UNKNOWN_KEY`, `REFUSED` or `UNDECODABLE`. */
export function openContext(
  sealed: string,
  runtime: { readonly seal: Pick<Seal, 'openContext' | 'sealsLike'>; readonly models: ModelCodec },
): OpenedContext {
  const text = runtime.seal.openContext(sealed)
  try {
    // The seal proves that a Macaron process wrote this text with contextText.
    const { callId, request, user, token, trace, values } = JSON.parse(text) as Travelling
    return {
      callId,
      request,
      user,
      token,
      trace,
      // Same proof: the codec was given the record of values.
      values: values === undefined ? {} : (decode(values, runtime.models) as Record<string, unknown>),
      // Passed on as it is to the task's own fires, unless it was sealed with a key that is being retired.
      sealed: runtime.seal.sealsLike(sealed) ? sealed : undefined,
    }
  } catch (error) {
    if (error instanceof MessageError) throw error
    throw new MessageError('undecodable', `The context is not readable: ${String(error)}`, { cause: error })
  }
}

/** The context of one attempt: the one it was fired in, with a scope of its own. */
export function attemptContext(opened: OpenedContext, task: RunningTask): Context {
  return { ...opened, task, scope: openScope() }
}
