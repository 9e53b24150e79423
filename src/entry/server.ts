import { startServer } from '../roles.ts'
import { runRole } from './run.ts'
import { surviveStrayErrors } from './stray-errors.ts'

/** A server process. */
surviveStrayErrors()
await runRole('server', startServer)
