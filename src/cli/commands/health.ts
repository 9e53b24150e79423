import { Command } from 'commander'
import type { Config } from '../../config.ts'
import { StoreError } from '../../core/errors.ts'
import type { EngineHealth } from '../../engines/engine.ts'
import { withSpooled } from '../../engines/spool/spooled.ts'
import { unopenedHealth } from '../../engines/waiting.ts'
import { openStoreAndSpool, spoolOf } from '../../store.ts'
import { say, sayJson } from '../output.ts'
import { configOf, envOption, type ServiceOptions, serviceOption } from '../service-option.ts'

/** `macaron health`: whether tasks are stored and move, and why not. Exit code 1 when not. */
export function healthCommand(): Command {
  return new Command('health')
    .description('say whether tasks can be stored and move; exit code 1 when not')
    .option('--json', 'as one JSON document')
    .addOption(serviceOption())
    .addOption(envOption())
    .action(printHealth)
}

async function printHealth(options: ServiceOptions & { readonly json?: boolean }): Promise<void> {
  const health = await healthOf(configOf(options))
  if (!health.ok) process.exitCode = 1
  if (options.json) sayJson(health)
  else for (const line of healthLines(health)) say(line)
}

/** A store that can't be opened is an answer too. */
async function healthOf(config: Config): Promise<EngineHealth> {
  try {
    const engine = await openStoreAndSpool(config)
    return await engine.health().finally(() => engine.close())
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    const spool = spoolOf(config, false)
    const health = unopenedHealth(error)
    if (spool === undefined) return health
    return await withSpooled(health, spool).finally(() => spool.close())
  }
}

function healthLines(health: EngineHealth): readonly string[] {
  const { waiting, running, parked, workers, oldestWaitMs } = health
  const oldest = waiting === 0 ? '' : `, the oldest for ${(oldestWaitMs / 1000).toFixed(1)} s`
  return [
    health.ok ? 'well' : 'NOT WELL',
    ...[...health.reasons, ...health.warnings].map((sentence) => `  ${sentence}`),
    `${waiting} waiting${oldest}; ${running} running; ${parked} parked; ${workers} worker(s) alive`,
  ]
}
