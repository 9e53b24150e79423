import type { Config } from '../config.ts'
import type { Stoppable } from '../core/lifecycle.ts'
import type { Engine } from '../engines/engine.ts'
import { openSqlite } from '../engines/sqlite/engine.ts'
import { MemoryStore } from '../engines/sqlite/memory.ts'
import { enableTasks } from '../service.ts'
import { registry } from '../tasks/registry.ts'
import { type TaskRuntime, uninstallRuntime } from '../tasks/runtime.ts'
import { SealedTexts } from '../worker/sealed-texts.ts'
import { FaultPlan, type Faults } from './faults.ts'
import { FiredLog, watchedEngine } from './fired.ts'
import { Runner } from './runner.ts'
import { TestTasks } from './tasks.ts'
import { TestWorker } from './test-worker.ts'

/** The part of a service under test that stores and runs tasks. */
export interface TaskSide extends Stoppable {
  readonly engine: Engine
  readonly runtime: TaskRuntime
  readonly tasks: TestTasks
  readonly faults: Faults
  /** Deletes the tasks whose retention has passed. */
  expire(): Promise<number>
}

export interface TaskSideOptions {
  readonly now: () => number
  /** Runs code by that clock, and lets it fire into this store. */
  readonly inside: <T>(fn: () => T) => T
}

/** Opens an empty store in memory and a worker on it; undefined where the service runs no tasks. */
export async function openTaskSide(config: Config, options: TaskSideOptions): Promise<TaskSide | undefined> {
  const { promise: opening, resolve } = Promise.withResolvers<Engine>()
  const runtime = enableTasks(config, () => opening)
  if (runtime === undefined) return undefined
  const store = new MemoryStore()
  const { now, inside } = options
  const log = new FiredLog()
  const faults = new FaultPlan()
  const opened = await openSqlite({ folder: store.file, sync: 'normal', role: 'worker', now })
  const engine = watchedEngine(opened, { log, faults })
  resolve(engine)
  const worker = await TestWorker.start({ store, now, names: () => registry.names() })
  const tools = { tasks: registry, runtime, texts: new SealedTexts(runtime.seal) }
  const find = (id: string) => engine.find(id)
  const runner = new Runner({ worker, tools, faults, log, now, inside, find })
  return {
    engine,
    runtime,
    tasks: new TestTasks({ runner, runtime, log }),
    faults,
    expire: () => engine.purge({}),
    async stop() {
      uninstallRuntime(runtime)
      await runtime.idle()
      await worker.close()
      await engine.close()
      store.close()
    },
  }
}
