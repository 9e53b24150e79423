import { emit } from '../core/events.ts'
import type { Stoppable } from '../core/lifecycle.ts'
import type { Consumption, Engine } from '../engines/engine.ts'
import { sweepAllOrphans, sweepOrphans } from '../supervisor/orphans.ts'
import { aliveFolderError } from './alive-folder.ts'
import { Dispatch } from './dispatch.ts'
import { Pace } from './pace.ts'
import { ParkedReports } from './parked-reports.ts'
import { Pool } from './pool.ts'
import type { ExecutorPlan } from './start-executor.ts'
import { Watch } from './watch.ts'

export interface WorkerOptions extends Omit<ExecutorPlan, 'owner' | 'pace'> {
  readonly engine: Engine
  readonly executors: number
  /** An executor that uses more is replaced. Default: none is. */
  readonly maxMemoryMiB?: number
  /** How long tasks are kept that the worker itself parks, in ms. */
  readonly retention: { readonly failed: number }
}

/** A running worker. */
export interface Worker extends Stoppable {
  /** Names it in leases, locks and lists. */
  readonly owner: string
  /** The names of the tasks its executors know. */
  names(): readonly string[]
  /** Its executors as they are now. */
  executors(): readonly ExecutorState[]
  /** Ends the executors at once and settles nothing more; what ran is given back by whoever finds this worker dead. */
  kill(): Promise<void>
}

export interface ExecutorState {
  readonly name: string
  readonly pid: number
  readonly ready: boolean
  readonly inHand: number
}

/**
 * Starts the process that takes tasks from the store and hands them to executors. Resolves when one is ready and tasks are taken.
 * @throws ChildError when no executor can be started: its exit code is what this process should end with. StoreError when the store can't be used.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { engine, executors, aliveFolder, retention } = options
  await sweepAllOrphans(aliveFolder).catch((error: unknown) => {
    throw aliveFolderError(aliveFolder, error)
  })
  const dispatch = new Dispatch({ executors, keepMs: retention.failed })
  let pool: Pool | undefined
  // Before the store is asked for anything: it begins with what dead workers have left.
  const reports = new ParkedReports({ engine, executors: () => pool?.handles ?? [] })
  // The store says who this worker is, and executors carry that name: until one of them is ready no slots are offered.
  const consuming = engine.consume({
    names: () => pool?.names() ?? [],
    keys: () => pool?.keys() ?? [],
    slots: () => dispatch.slots(),
    run: (leases) => dispatch.take(leases),
    sweep: (deadOwner) => sweepOrphans(aliveFolder, deadOwner),
  })
  consuming.catch(() => reports.stop())
  const consumption = await consuming
  const { owner } = consumption
  pool = new Pool({ ...options, owner, pace: new Pace() }, dispatch)
  const watch = new Watch(pool, (leases) => dispatch.take(leases))
  dispatch.begin({ consumption, pool, watch })
  try {
    await pool.start()
  } catch (error) {
    reports.stop()
    await consumption.stop()
    throw error
  }
  consumption.more()
  emit('worker.ready', { owner, executors, tasks: pool.names() })
  return new RunningWorker({ consumption, dispatch, pool, reports, watch })
}

interface Parts {
  readonly consumption: Consumption
  readonly dispatch: Dispatch
  readonly pool: Pool
  readonly reports: ParkedReports
  readonly watch: Watch
}

class RunningWorker implements Worker {
  readonly #parts: Parts
  #stopping: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get owner(): string {
    return this.#parts.consumption.owner
  }

  names(): readonly string[] {
    return this.#parts.pool.names()
  }

  executors(): readonly ExecutorState[] {
    return [...this.#parts.pool.handles].map(({ name, child, ready, inHand }) => ({
      name,
      pid: child.pid,
      ready: ready !== undefined,
      inHand,
    }))
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** Takes nothing more; waits for what runs until the deadline; gives the rest back once its executors are gone; frees the owner's lock last. */
  async #stop(): Promise<void> {
    const { consumption, dispatch, pool, reports, watch } = this.#parts
    const running = this.executors().reduce((sum, { inHand }) => sum + inHand, 0)
    emit('worker.stopping', { owner: this.owner, running })
    // Where the store is silent that takes a while: what comes until then is given back at once.
    void consumption.pause().then(() => emit('worker.paused', { owner: this.owner }))
    dispatch.close()
    // An executor that ends might be gone before it has told anything.
    reports.stop()
    await pool.stop()
    watch.stop()
    await consumption.stop()
  }

  async kill(): Promise<void> {
    this.#parts.reports.stop()
    this.#parts.watch.stop()
    await this.#parts.pool.kill()
  }
}
