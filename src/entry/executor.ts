import { logEvents } from '../core/log-lines.ts'
import { openLogger } from '../core/logger.ts'
import { loadExecutor } from '../executor-role.ts'
import { serveExecutor } from '../worker/executor.ts'
import { readExecutorSettings } from '../worker/executor-settings.ts'
import { configOfArguments, endWithFailure } from './run.ts'

/** An executor process. Its arguments are the worker's own and, last, what the worker says of it. */
const settings = readExecutorSettings(process.argv)
const name = `executor ${settings.id.split('.').at(-1)}`

try {
  const config = configOfArguments()
  logEvents(openLogger({ level: config.log_level, format: config.log_format, role: name }))
  const loaded = loadExecutor(config)
  await serveExecutor({ settings, load: () => loaded })
  await (await loaded).close()
  process.exit(0)
} catch (error) {
  endWithFailure(error)
}
