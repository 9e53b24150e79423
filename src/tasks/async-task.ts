import { getCallSites } from 'node:util'
import { TaskError } from '../core/errors.ts'
import { fire, fireNow } from './fire.ts'
import type { TaskHandle } from './handle.ts'
import { checkOptions, defaultOptions, type FireOptions, type TaskOptions } from './options.ts'
import { registry, type TaskDefinition } from './registry.ts'

/** A function that can run after the endpoint has returned. Calling it runs it here and now. */
export interface Task<Args extends readonly unknown[], Result> {
  (...args: Args): Result
  /** The name under which it is stored. */
  readonly taskName: string
  /** Asks for a run by a worker. */
  readonly fire: Fire<Args, Result>
  /** The same with options for this call. @throws TaskError `BAD_TASK_OPTION`. */
  with(options: FireOptions): { readonly fire: Fire<Args, Result> }
}

export interface Fire<Args extends readonly unknown[], Result> {
  /**
   * Fires when the request or attempt that calls this has succeeded: it is stored before the reply leaves, and dropped if the endpoint fails.
   * @throws TaskError `ARGUMENT_NOT_PORTABLE`, `ARGUMENT_TOO_LARGE`, `NO_SCOPE` outside any request, attempt or script scope,
   * `SCOPE_DROPPED` after the scope was dropped, `ASYNC_OFF` without `with_async: true`.
   */
  (...args: Args): TaskHandle<Awaited<Result>>
  /** Fires at once: resolves when the task is stored, whatever becomes of the request. @throws StoreError, and as above. */
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
  const fn = typeof nameOrFn === 'function' ? nameOrFn : fnOrOptions
  const options = typeof nameOrFn === 'function' ? fnOrOptions : namedOptions
  const place = callerPlace()
  if (typeof fn !== 'function')
    throw new TaskError('TASK_UNNAMED', `${place}: asyncTask needs a function: asyncTask('name', fn)`)
  const name = typeof nameOrFn === 'string' ? nameOrFn : fn.name
  checkName(name, place)
  const base = checkOptions(typeof options === 'object' ? options : {}, defaultOptions, {
    what: `Task ${name}`,
    now: Date.now(),
  })
  // Executors call with the decoded arguments of this very function.
  const definition: TaskDefinition = {
    name,
    fn: fn as (...args: readonly unknown[]) => unknown,
    options: Object.freeze(base),
    place,
  }
  registry.add(definition)
  return taskOf(fn, definition)
}

function taskOf<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result,
  definition: TaskDefinition,
): Task<Args, Result> {
  const call = (...args: Args): Result => fn(...args)
  Object.defineProperty(call, 'name', { value: definition.name })
  return Object.assign(call, {
    taskName: definition.name,
    fire: fireOf<Args, Result>(definition, undefined),
    with: (options: FireOptions) => ({ fire: fireOf<Args, Result>(definition, options) }),
  })
}

function fireOf<Args extends readonly unknown[], Result>(
  definition: TaskDefinition,
  options: FireOptions | undefined,
): Fire<Args, Result> {
  type Handle = TaskHandle<Awaited<Result>>
  // The handle's type is the function's result: what the executor stores is what the function returned.
  const staged = (...args: Args) => fire({ definition, options, args }) as Handle
  return Object.assign(staged, {
    now: async (...args: Args) => (await fireNow({ definition, options, args })) as Handle,
  })
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

/** The line that called asyncTask. */
function callerPlace(): string {
  const site = getCallSites(4).find(
    (frame) => !frame.scriptName.endsWith('/async-task.ts') && !frame.scriptName.endsWith('/async-task.js'),
  )
  return site === undefined
    ? 'unknown place'
    : `${site.scriptName.replace(/^file:\/\//, '')}:${site.lineNumber}`
}
