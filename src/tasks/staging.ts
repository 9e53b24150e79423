import type { Scope } from '../core/context.ts'
import { TaskError } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import type { StagedMessage } from './message.ts'

/** What scopes collect until they end: the messages of tasks that were fired and are not yet released. */

/**
 * Stages a message in an open scope.
 * @throws TaskError `SCOPE_FULL` where the scope would hold more than 64 Mi characters: all of them are stored in one commit, which holds up everybody else.
 */
export function stage(scope: Scope, message: StagedMessage): void {
  const letters = lettersOf(message)
  if (scope.staged.length > 0 && scope.letters + letters > mostStaged) throw full(message.name)
  scope.letters += letters
  scope.staged.push(message)
}

/** Takes a message back; false where the scope doesn't hold it any more. */
export function unstage(scope: Scope, id: string): boolean {
  const index = stagedIn(scope).findIndex((message) => message.id === id)
  if (index < 0) return false
  for (const message of stagedIn(scope).splice(index, 1)) scope.letters -= lettersOf(message)
  return true
}

/** Ends an open scope as released and gives what it has staged. A scope ends once: for one that has ended there is nothing to take. */
export function takeStaged(scope: Scope): readonly StagedMessage[] {
  if (scope.state !== 'open') return []
  scope.state = 'released'
  return stagedIn(scope).splice(0)
}

/** Ends an open scope as dropped: what it has staged is never stored. */
export function dropScope(scope: Scope, callId?: string, userId?: string): void {
  if (scope.state !== 'open') return
  scope.state = 'dropped'
  const dropped = stagedIn(scope).splice(0)
  if (dropped.length > 0) {
    emit('scope.dropped', { callId, userId, tasks: dropped.map((message) => message.name) })
  }
}

/** About how much of text is stored of a message, in characters. */
export function lettersOf({ args, contextText }: StagedMessage): number {
  return args.length + contextText.length + 200
}

const mostStaged = 67_108_864

function stagedIn(scope: Scope): StagedMessage[] {
  // Only stage() adds to it, and it adds messages.
  return scope.staged as StagedMessage[]
}

function full(name: string): TaskError {
  return new TaskError(
    'SCOPE_FULL',
    `Task ${name} can't be fired: what was fired here before it holds 64 MiB, and all of it is to be stored in one commit. Let tasks fire the rest, each a part of it, or pass the address of what is large; the context, with the request's body, goes with every task`,
  )
}
