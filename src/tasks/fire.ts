import { randomUUID } from 'node:crypto'
import { now } from '../core/clock.ts'
import { type Context, contextOf, currentContext, type Scope } from '../core/context.ts'
import { TaskError } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import { encode } from './codec.ts'
import { contextText } from './context-message.ts'
import { TaskHandle } from './handle.ts'
import { newTaskId } from './ids.ts'
import type { StagedMessage } from './message.ts'
import type { CheckedCall } from './options.ts'
import type { TaskDefinition } from './registry.ts'
import { currentRuntime, type TaskRuntime } from './runtime.ts'
import { stage } from './staging.ts'
import { storeOptions } from './stored-options.ts'

/** What is fired, and how. */
export interface Call extends CheckedCall {
  readonly definition: TaskDefinition
  readonly args: readonly unknown[]
}

/** Stages a task in the current scope; after a released one stores it at once. */
export function fire(call: Call): TaskHandle<unknown> {
  const { name } = call.definition
  const runtime = currentRuntime(name)
  const context = currentContext()
  if (context === undefined) throw noScope(name)
  if (context.scope.state === 'dropped') throw dropped(name)
  const message = messageOf(call, context, runtime)
  return context.scope.state === 'open'
    ? fireInScope(message, context.scope, runtime)
    : fireLate(message, context, runtime)
}

/** Stores a task at once; resolves when it is durable. Outside any scope the task has nobody's context. */
export async function fireNow(call: Call): Promise<TaskHandle<unknown>> {
  const runtime = currentRuntime(call.definition.name)
  const message = messageOf(call, currentContext() ?? contextOf(randomUUID()), runtime)
  const stored = runtime.store([message])
  await stored
  return new TaskHandle(message, runtime, { stored })
}

function fireInScope(message: StagedMessage, scope: Scope, runtime: TaskRuntime): TaskHandle<unknown> {
  stage(scope, message)
  return new TaskHandle(message, runtime, { scope })
}

const lateNames = new Set<string>()

/** A fire by code that went on after the reply: nothing can hold it back any more, so it is stored at once. */
function fireLate(message: StagedMessage, context: Context, runtime: TaskRuntime): TaskHandle<unknown> {
  if (!lateNames.has(message.name)) {
    lateNames.add(message.name)
    emit('task.late_fire', { name: message.name, callId: context.callId, userId: context.user?.sub })
  }
  const stored = runtime.store([message])
  // The outbox reports a failure; the handle's methods reject with it. Without either it must not end the process.
  stored.catch(() => undefined)
  return new TaskHandle(message, runtime, { stored })
}

function messageOf(
  { definition, options, at, args }: Call,
  context: Context,
  runtime: TaskRuntime,
): StagedMessage {
  const { name } = definition
  const firedAt = now()
  const fired = at === undefined ? options : { ...options, delay: Math.max(0, at - firedAt) }
  return {
    id: newTaskId(firedAt),
    name,
    queue: fired.queue,
    priority: fired.priority,
    runAt: fired.delay === 0 ? 0 : firedAt + fired.delay,
    firedAt,
    atMostOnce: fired.atMostOnce,
    args: encode(args, {
      models: runtime.models,
      maxBytes: runtime.maxBytes,
      what: `argument of ${name}`,
      checksModels: true,
    }),
    options: storeOptions(fired),
    contextText: contextText(context, runtime),
  }
}

function noScope(name: string): TaskError {
  return new TaskError(
    'NO_SCOPE',
    `Task ${name} was fired outside a request, a task and a script scope. To store it at once, for nobody in particular, use ${name}.fire.now(...). In a script: await using service = await openService(); await service.run(() => ${name}.fire(...))`,
  )
}

function dropped(name: string): TaskError {
  return new TaskError(
    'SCOPE_DROPPED',
    `Task ${name} was fired after its request or attempt had ended without success, so it will not run. Fire before the handler returns, or with ${name}.fire.now(...)`,
  )
}
