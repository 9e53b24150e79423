import type { Stoppable } from '../core/lifecycle.ts'
import type { Reporter } from '../core/reporter.ts'
import { registry } from '../tasks/registry.ts'
import { type TaskRuntime, uninstallRuntime } from '../tasks/runtime.ts'
import type { Faults } from './faults.ts'
import { Runner } from './runner.ts'
import { TestTasks } from './tasks.ts'
import type { TestStore } from './test-store.ts'
import { TestWorker } from './test-worker.ts'

/** The part of a service under test that runs tasks. */
export interface TaskSide extends Stoppable {
  readonly tasks: TestTasks
  readonly faults: Faults
  /** Deletes the tasks whose retention has passed. */
  expire(): Promise<number>
}

export interface TaskSideOptions {
  readonly store: TestStore
  readonly runtime: TaskRuntime
  readonly reporter: Reporter | undefined
  readonly now: () => number
  /** Runs code by that clock, and lets it fire into that store. */
  readonly inside: <T>(fn: () => T) => T
}

/** Starts a worker on the store. */
export async function openTaskSide(options: TaskSideOptions): Promise<TaskSide> {
  const { store, runtime, reporter, now, inside } = options
  const engine = await runtime.engine()
  const worker = await TestWorker.start({
    store,
    names: () => registry.names(),
    keys: () => runtime.seal.keyIds,
  })
  const runner = new Runner({
    worker,
    tools: { tasks: registry, runtime, reporter, toldOfKeys: new Set() },
    faults: store.faults,
    log: store.log,
    now,
    inside,
    find: (id) => engine.find(id),
  })
  return {
    tasks: new TestTasks({ runner, runtime, log: store.log }),
    faults: store.faults,
    expire: () => engine.purge({}),
    async stop() {
      uninstallRuntime(runtime)
      await worker.close()
    },
  }
}
