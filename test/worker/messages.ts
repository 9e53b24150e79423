import assert from 'node:assert/strict'
import { type Context, openScope, type User } from '../../src/core/context.ts'
import { encode } from '../../src/tasks/codec.ts'
import { contextText } from '../../src/tasks/context-message.ts'
import { newTaskId } from '../../src/tasks/ids.ts'
import type { StagedMessage, TaskMessage } from '../../src/tasks/message.ts'
import { checkOptions, defaultOptions, type TaskOptions } from '../../src/tasks/options.ts'
import { storeOptions } from '../../src/tasks/stored-options.ts'
import { testRuntime } from './fixtures/runtime.ts'

const runtime = testRuntime()

/** The message of a task as an endpoint would have fired it. */
export function messageOf(
  name: string,
  args: readonly unknown[] = [],
  { options = {}, user }: { options?: TaskOptions; user?: User } = {},
): TaskMessage {
  const now = Date.now()
  const checked = checkOptions(options, defaultOptions, name)
  const staged: StagedMessage = {
    id: newTaskId(now),
    name,
    queue: checked.queue,
    priority: checked.priority,
    runAt: 0,
    firedAt: now,
    atMostOnce: checked.atMostOnce,
    args: encode(args, { models: runtime.models, maxBytes: runtime.maxBytes, what: 'argument' }),
    options: storeOptions(checked),
    contextText: contextText(contextOf(user), runtime),
  }
  const [message] = runtime.seal.sealAll([staged])
  assert.ok(message)
  return message
}

function contextOf(user: User | undefined): Context {
  return {
    callId: 'call-1',
    request: undefined,
    user,
    token: undefined,
    trace: undefined,
    values: {},
    task: undefined,
    scope: openScope(),
    text: undefined,
  }
}
