import { AsyncLocalStorage } from 'node:async_hooks'
import { TaskError } from '../core/errors.ts'
import type { Engine } from '../engines/engine.ts'
import type { ModelCodec } from './codec.ts'
import type { StagedMessage } from './message.ts'
import type { Seal } from './seal.ts'

/** What firing needs of the service this process runs. Set once by `service.ts`; task modules are imported before it exists. */
export interface TaskRuntime {
  /** @throws StoreError where its key has to be made first, and can't be now. */
  readonly seal: Seal
  readonly models: ModelCodec
  /** The largest arguments or result of one task, in bytes. */
  readonly maxBytes: number
  /** Whether the caller's raw token travels (sealed) with its tasks. */
  readonly contextToken: boolean
  /** Seals and stores messages; resolves when they are durable. @throws StoreError. */
  store(messages: readonly StagedMessage[]): Promise<void>
  /** Resolves when nothing that was fired waits to be stored. */
  idle(): Promise<void>
  /** The engine, opened when first asked for. */
  engine(): Promise<Engine>
}

let installed: TaskRuntime | 'off' | undefined

const own = new AsyncLocalStorage<TaskRuntime | 'off'>()

/** Runs `fn` with a runtime of its own, whichever is installed: tests may have several services in one process. */
export function withRuntime<T>(runtime: TaskRuntime | 'off', fn: () => T): T {
  return own.run(runtime, fn)
}

/** `'off'`: the service runs without `with_async: true`. */
export function installRuntime(runtime: TaskRuntime | 'off' | undefined): void {
  installed = runtime
}

/** Undoes `installRuntime`, unless another runtime was installed since. */
export function uninstallRuntime(runtime: TaskRuntime | 'off'): void {
  if (installed === runtime) installed = undefined
}

/** @throws TaskError `ASYNC_OFF` or `NO_SERVICE`. */
export function currentRuntime(taskName: string): TaskRuntime {
  const current = own.getStore() ?? installed
  if (current === 'off') {
    throw new TaskError(
      'ASYNC_OFF',
      `Task ${taskName} was fired, but this service runs no tasks. Set with_async: true in macaron.yaml, or call the task itself to run it here and now.`,
    )
  }
  if (current === undefined) {
    throw new TaskError(
      'NO_SERVICE',
      `Task ${taskName} was fired outside a service. In a script, open one first: await using service = await openService()`,
    )
  }
  return current
}
