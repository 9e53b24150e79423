import { currentTask } from '../core/context.ts'
import { emit } from '../core/events.ts'
import type { Reporter } from '../core/reporter.ts'
import { type AliveLock, holdAlive } from '../supervisor/alive.ts'
import { obeyParent, tellParent } from '../supervisor/parent.ts'
import type { TaskRegistry } from '../tasks/registry.ts'
import { storedError } from '../tasks/retry.ts'
import type { TaskRuntime } from '../tasks/runtime.ts'
import { aliveFolderError } from './alive-folder.ts'
import { type AttemptTools, openOrders, runAttempt } from './attempt.ts'
import type { Ready, ToExecutor } from './channel.ts'
import type { ExecutorSettings } from './executor-settings.ts'
import { markWriter } from './mark.ts'
import { OrderBook } from './order-book.ts'
import { reportParked } from './report-parked.ts'
import { Reports } from './reports.ts'

/** The part of a service that runs tasks. */
export interface ExecutorService {
  readonly tasks: TaskRegistry
  readonly runtime: TaskRuntime
  /** Told of tasks that failed. */
  readonly reporter?: Reporter | undefined
}

export interface ExecutorOptions {
  readonly settings: ExecutorSettings
  /** Loads the user's modules. What it throws is thrown to the caller, before the worker is told anything. */
  load(): Promise<ExecutorService>
}

/**
 * What an executor process does: it holds its lock, loads the service, says it is ready, and runs what it is handed. Resolves when it was told to stop,
 * nothing runs any more and everything was said; the caller then ends the process. Ends the process by itself when the worker is gone, and on an
 * error that no attempt has caught.
 */
export async function serveExecutor({ settings, load }: ExecutorOptions): Promise<void> {
  const { concurrency } = settings
  // Before any of the user's code: from here on the next worker can find and end this process.
  const lock = hold(settings)
  const reports = new Reports()
  process.once('exit', () => {
    reports.flush()
    lock.release()
  })
  const stopped = toldToStop()
  const { tasks, runtime, reporter } = await load()
  const tools: AttemptTools = { tasks, runtime, reporter, toldOfKeys: new Set() }
  const book = new OrderBook({
    concurrency,
    reports,
    mark: markWriter(settings.markFile),
    open: (orders) => openOrders(orders, tools),
    run: (order) => runAttempt(order, tools),
  })
  process.on('message', (message) => {
    // The worker's half of the channel speaks this, and the supervisor's `stop` and `kill`.
    const said = message as ToExecutor
    if (said.type === 'parked') reportParked(said.parked, tools)
    else book.hear(said)
  })
  exitOnStrayErrors(reports)
  tellParent({ type: 'ready', names: tasks.names(), keys: keyIdsOf(runtime) } satisfies Ready)
  await stopped
  await book.close()
  await reports.written()
}

function hold({ aliveFolder, id, owner }: ExecutorSettings): AliveLock {
  try {
    return holdAlive(aliveFolder, id, owner)
  } catch (error) {
    throw aliveFolderError(aliveFolder, error)
  }
}

/** None where the key has to be made first, and can't be now. */
function keyIdsOf(runtime: TaskRuntime): readonly string[] {
  try {
    return runtime.seal.keyIds
  } catch {
    return []
  }
}

/** Without its worker nothing can be reported: what runs here is given back and run elsewhere, so it must not go on. */
function toldToStop(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  obeyParent({
    obeySigterm: false,
    stop(cause) {
      if (cause === 'orphaned') process.exit(0)
      resolve()
    },
  })
  return promise
}

/** An error outside any attempt's own promise leaves the process in a state that nobody knows. */
function exitOnStrayErrors(reports: Reports): void {
  process.on('uncaughtException', (error) => {
    const task = currentTask()?.name
    emit('executor.crash', { error, task })
    reports.flush()
    reports.tell({ type: 'crash', error: storedError(error), task })
    void reports.written().then(() => process.exit(1))
  })
}
