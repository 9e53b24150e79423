import { startServer } from '../roles.ts'
import { runRole } from './run.ts'

/** A server process. */
await runRole('server', startServer)
