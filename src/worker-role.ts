import type { Config } from './config.ts'
import type { Engine } from './engines/engine.ts'
import { entryOf } from './entries.ts'
import type { Role } from './role.ts'
import { aliveFolder, openStoreAndSpool } from './store.ts'
import { defaultOptions } from './tasks/options.ts'
import { startWorkerPatiently } from './worker/patient.ts'
import { startWorker, type WorkerOptions } from './worker/worker.ts'

/** A worker process: claims tasks and keeps executors; loads none of the user's modules. Waits for a store that can't be used yet. */
export function startWorkerRole(config: Config): Promise<Role> {
  return startWorkerPatiently({
    // What a server or an executor has left in the spool of a machine where only workers are left.
    open: () => openStoreAndSpool(config, true),
    start: (engine) => startWorker(workerOptions(config, engine)),
  })
}

function workerOptions(config: Config, engine: Engine): WorkerOptions {
  return {
    engine,
    executors: config.worker_count,
    concurrency: config.worker_concurrency,
    entry: entryOf('executor'),
    args: process.argv.slice(2),
    aliveFolder: aliveFolder(config),
    stopTimeoutMs: config.stop_timeout,
    maxMemoryMiB: config.worker_max_memory,
    retention: defaultOptions.keep,
  }
}
