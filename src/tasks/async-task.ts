import { fileURLToPath } from 'node:url'
import { getCallSites } from 'node:util'
import { TaskError } from '../core/errors.ts'
import { fire, fireNow } from './fire.ts'
import type { TaskHandle } from './handle.ts'
import {
  type CheckedCall,
  checkFireOptions,
  checkOptions,
  defaultOptions,
  type FireOptions,
  type TaskOptions,
} from './options.ts'
import { registry, type TaskDefinition } from './registry.ts'

/** A function that can run after the endpoint has returned. Calling it runs it here and now. */
export interface Task<Args extends readonly unknown[], Result> {
  (...args: Args): Result
  /** The name under which it is stored. */
  readonly taskName: string
  /** Asks for a run by a worker. */
  readonly fire: Fire<Args, Result>
  /** The same with other options than the task's own. @throws TaskError `BAD_TASK_OPTION`. */
  with(options: FireOptions): { readonly fire: Fire<Args, Result> }
}

export interface Fire<Args extends readonly unknown[], Result> {
  /**
   * Fires when the request or attempt that calls this has succeeded: it is stored before the reply leaves, and dropped if the endpoint fails.
   * @throws TaskError `ARGUMENT_NOT_PORTABLE`, `ARGUMENT_TOO_LARGE`, `NO_SCOPE` outside any request, attempt or script scope,
   * `SCOPE_DROPPED` after the scope was dropped, `ASYNC_OFF` without `with_async: true`.
   */
  (...args: Args): TaskHandle<Awaited<Result>>
  /**
   * Fires at once: resolves when the task is stored, whatever becomes of the request. Works outside any scope too, where the task has no
   * user and no request. @throws StoreError, and as above but for scopes.
   */
  now(...args: Args): Promise<TaskHandle<Awaited<Result>>>
}

/**
 * Declares a task. Its name is the function's own unless given; it identifies stored tasks across deploys, so keep it when code moves.
 * @throws TaskError `TASK_UNNAMED`, `TASK_DUPLICATE`, `BAD_TASK_NAME`, `BAD_TASK_OPTION`.
 */
export function asyncTask<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result,
  options?: TaskOptions,
): Task<Args, Result>
export function asyncTask<Args extends readonly unknown[], Result>(
  name: string,
  fn: (...args: Args) => Result,
  options?: TaskOptions,
): Task<Args, Result>
export function asyncTask<Args extends readonly unknown[], Result>(
  nameOrFn: string | ((...args: Args) => Result),
  fnOrOptions?: ((...args: Args) => Result) | TaskOptions,
  namedOptions?: TaskOptions,
): Task<Args, Result> {
  const [named, fn, options] =
    typeof nameOrFn === 'string' ? [nameOrFn, fnOrOptions, namedOptions] : [undefined, nameOrFn, fnOrOptions]
  const place = callerPlace()
  if (typeof fn !== 'function')
    throw new TaskError('TASK_UNNAMED', `${place}: asyncTask needs a function: asyncTask('name', fn)`)
  const name = named ?? fn.name
  checkName(name, place)
  const definition: TaskDefinition = {
    name,
    // Executors call it with the decoded arguments of this very function.
    fn: fn as (...args: readonly unknown[]) => unknown,
    // A function here is one argument too many; the check says so.
    options: checkOptions(
      (options === undefined ? {} : options) as TaskOptions,
      defaultOptions,
      `${place}: task ${name}`,
    ),
    place,
  }
  registry.add(definition)
  return taskOf(fn, definition)
}

function taskOf<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result,
  definition: TaskDefinition,
): Task<Args, Result> {
  const { name, options } = definition
  const call = (...args: Args): Result => fn(...args)
  Object.defineProperty(call, 'name', { value: name })
  return Object.assign(call, {
    taskName: name,
    fire: fireOf<Args, Result>(definition, { options, at: undefined }),
    with: (given: FireOptions) => ({
      fire: fireOf<Args, Result>(definition, checkFireOptions(given, options, `Task ${name}`)),
    }),
  })
}

function fireOf<Args extends readonly unknown[], Result>(
  definition: TaskDefinition,
  checked: CheckedCall,
): Fire<Args, Result> {
  type Handle = TaskHandle<Awaited<Result>>
  // The handle's type is the function's result: what the executor stores is what the function returned.
  const staged = (...args: Args) => fire({ definition, ...checked, args }) as Handle
  // The same.
  const now = async (...args: Args) => (await fireNow({ definition, ...checked, args })) as Handle
  return Object.assign(staged, { now })
}

function checkName(name: string, place: string): void {
  if (name === '') {
    throw new TaskError(
      'TASK_UNNAMED',
      `${place}: this task has no name. Name its function, or give one: asyncTask('name', fn)`,
    )
  }
  if (!/^[A-Za-z_][\w.-]{0,127}$/.test(name)) {
    throw new TaskError(
      'BAD_TASK_NAME',
      `${place}: ${JSON.stringify(name)} can't name a task: use a letter or _ first, then letters, digits, _, . and -, at most 128`,
    )
  }
}

/** The line that called asyncTask: the third from the top, below this function and asyncTask itself. */
function callerPlace(): string {
  const [, , site] = getCallSites(3)
  if (site === undefined) return 'unknown place'
  const { scriptName, lineNumber } = site
  return `${scriptName.startsWith('file:') ? fileURLToPath(scriptName) : scriptName}:${lineNumber}`
}
