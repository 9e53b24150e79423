import {
  type Context,
  openScope,
  type RequestSnapshot,
  type RunningTask,
  type Token,
  type User,
} from '../core/context.ts'
import { MessageError } from '../core/errors.ts'
import { decode, encode } from './codec.ts'
import type { TaskRuntime } from './runtime.ts'

/** How a context travels, before it is sealed: in the codec's form, made once per request and again only after `setContext`. */
export function contextText(context: Context, runtime: TaskRuntime): string {
  context.text ??= textOf(context, runtime)
  return context.text
}

/** What is absent is left out. */
interface Travelling {
  readonly callId: string
  readonly request?: RequestSnapshot
  readonly user?: User
  readonly assumed?: true
  readonly token?: Token
  readonly trace?: string
  readonly traceState?: string
  readonly values?: Readonly<Record<string, unknown>>
}

function textOf(context: Context, { contextToken, models, maxBytes }: TaskRuntime): string {
  const { callId, request, user, assumed, token, trace, traceState, values } = context
  const travelling = withoutAbsent({
    callId,
    request: request === undefined ? undefined : withoutAbsent({ ...request }),
    user,
    assumed,
    token: contextToken ? token : undefined,
    trace,
    traceState,
    values: Object.keys(values).length === 0 ? undefined : values,
  })
  // A low limit is meant for arguments; what a caller sends must not keep a handler from firing.
  return encode(travelling, {
    models,
    maxBytes: Math.max(maxBytes, leastContextBytes),
    what: 'context of the fire',
  })
}

const leastContextBytes = 131_072

/** Absent parts would cost the codec a tag each. */
function withoutAbsent(parts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const present: Record<string, unknown> = {}
  // Five times as fast as by Object.entries, and every request that fires comes through here.
  for (const name in parts) if (parts[name] !== undefined) present[name] = parts[name]
  return present
}

/** A context read back, to which each attempt adds its own scope and task. */
export type OpenedContext = Omit<Context, 'scope' | 'task'>

/** Reads the text of a context. @throws MessageError `UNDECODABLE`. */
export function readContext(text: string, models: TaskRuntime['models']): OpenedContext {
  const opened = decode(text, models)
  if (!isTravelling(opened)) throw new MessageError('undecodable', 'The sealed text is no context')
  const { callId, request, user, assumed, token, trace, traceState, values = {} } = opened
  return {
    callId,
    request,
    user,
    assumed,
    token,
    trace,
    traceState,
    values,
    // The task's own fires pass it on as it is.
    text,
  }
}

/** The seal proves that a Macaron process wrote the text with textOf, be it one of another version. */
function isTravelling(opened: unknown): opened is Travelling {
  return (
    typeof opened === 'object' && opened !== null && 'callId' in opened && typeof opened.callId === 'string'
  )
}

/** The context of one attempt: the one it was fired in, with a scope of its own. */
export function attemptContext(opened: OpenedContext, task: RunningTask): Context {
  return { ...opened, task, startedAt: performance.now(), scope: openScope() }
}
