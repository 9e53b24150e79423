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
  const loaded: Pick<Awaited<ReturnType<typeof loadExecutor>>, 'close'>[] = []
  const load = async () => {
    const service = await loadExecutor(config)
    loaded.push(service)
    return service
  }
  // Loads only once it holds its lock, by which the next worker can find and end this process.
  await serveExecutor({ settings, load })
  for (const service of loaded) await service.close()
  process.exit(0)
} catch (error) {
  endWithFailure(error)
}
