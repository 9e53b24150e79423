import { resolve } from 'node:path'
import { Command } from 'commander'
import type { Config } from '../../config.ts'
import { codeOf } from '../../core/errors.ts'
import { logEvents } from '../../core/log-lines.ts'
import { openLogger } from '../../core/logger.ts'
import { writeOut } from '../../core/standard-output.ts'
import { runDev } from '../../dev/dev.ts'
import { shareCompiledCode } from '../compiled-code.ts'
import { tellOfExposedKeys } from '../exposed-keys.ts'
import { type ListenOptions, listening, overridesOf } from '../listen-options.ts'
import { configOf } from '../service-option.ts'
import { tryLines } from '../try-lines.ts'

/** `macaron dev`: `start` for whoever is changing the service. */
export function devCommand(): Command {
  return listening(
    new Command('dev').description('as start, and anew at each change of code, spec or configuration'),
  ).action(run)
}

async function run(options: ListenOptions): Promise<void> {
  const folder = resolve(options.service)
  const readConfig = () => configOf(options, overridesOf(options))
  const { log_level: level, log_format: format } = logSettings(readConfig)
  logEvents(openLogger({ level, format, role: 'macaron' }))
  shareCompiledCode({ folder })
  await runDev({
    folder,
    readConfig,
    overrides: overridesOf(options),
    onUp: (config, server) => {
      tellOfExposedKeys(config)
      writeOut(`${tryLines(config, server).join('\n')}\n`)
    },
  })
}

/** A configuration with mistakes is to be mended while this runs; a folder without one is the wrong folder. */
function logSettings(readConfig: () => Config): Pick<Config, 'log_level' | 'log_format'> {
  try {
    return readConfig()
  } catch (error) {
    if (codeOf(error) === 'CONFIG_MISSING') throw error
    return { log_level: 'info', log_format: 'pretty' }
  }
}
