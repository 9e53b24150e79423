import { startWorkerRole } from '../roles.ts'
import { runRole } from './run.ts'

/** The worker process. */
await runRole('worker', startWorkerRole)
