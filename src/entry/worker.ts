import { on } from '../core/events.ts'
import { tellParent } from '../supervisor/parent.ts'
import { startWorkerRole } from '../worker-role.ts'
import { runRole } from './run.ts'

/** The worker process. */
on('worker.paused', () => void tellParent({ type: 'paused' }))
await runRole('worker', startWorkerRole)
