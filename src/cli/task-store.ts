import type { Command } from 'commander'
import type { Config } from '../config.ts'
import { MacaronError } from '../core/errors.ts'
import type { Engine } from '../engines/engine.ts'
import type { Spool } from '../engines/spool/spool.ts'
import { openStoreAndSpool, spoolOf } from '../store.ts'
import { configOf, envOption, type ServiceOptions, serviceOption } from './service-option.ts'

/** What these commands need of a store or a spool. */
export type Tasks = Pick<Engine, 'cancel' | 'close' | 'find' | 'list' | 'retry'>

export interface TaskOptions extends ServiceOptions {
  readonly spool?: boolean
}

/** The options of every command that reads tasks or acts on them. */
export function withService(command: Command): Command {
  return command
    .option('--spool', 'only what waits on this machine for a Redis that is away')
    .addOption(serviceOption())
    .addOption(envOption())
}

export async function withEngine(options: TaskOptions, use: (engine: Tasks) => Promise<void>): Promise<void> {
  const config = configOf(options)
  const engine = options.spool ? openedSpool(config) : await openStoreAndSpool(config)
  try {
    await use(engine)
  } finally {
    await engine.close()
  }
}

function openedSpool(config: Config): Spool {
  const spool = spoolOf(config, false)
  if (spool !== undefined) return spool
  throw new MacaronError(
    'NO_SPOOL',
    'This service has no spool here: only one with tasks on Redis (broker_url) has, where spool is on or its folder is kept',
  )
}
