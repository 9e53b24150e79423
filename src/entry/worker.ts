import { startWorkerRole } from '../worker-role.ts'
import { runRole } from './run.ts'

/** The worker process. */
await runRole('worker', startWorkerRole)
