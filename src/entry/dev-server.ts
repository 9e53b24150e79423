import { openHandedOver } from '../http/handed-over.ts'
import { startServer } from '../roles.ts'
import { takeConnections, tellParent } from '../supervisor/parent.ts'
import { onModuleLoaded } from './loaded-modules.ts'
import { rehearse } from './rehearse.ts'
import { isAheadOfNeed, runRole } from './run.ts'
import { surviveStrayErrors } from './stray-errors.ts'

/** A server process of `macaron dev`: its parent holds the port, and watches what it loads. */
surviveStrayErrors()
if (isAheadOfNeed()) await rehearse()
onModuleLoaded((file) => tellParent({ type: 'loaded', file }))
await runRole('server', (config) => {
  const source = { port: config.port, receive: takeConnections }
  return startServer(config, (options) => openHandedOver(options, source))
})
