import { Command } from 'commander'
import { asyncOff } from '../../async-off.ts'
import { writeOut } from '../../core/standard-output.ts'
import { launch } from '../launch.ts'
import { type ListenOptions, listening, overridesOf } from '../listen-options.ts'
import { configOf, envOption, serviceOption } from '../service-option.ts'
import { tryLines } from '../try-lines.ts'

/** `macaron start`: the service, whole. */
export function startCommand(): Command {
  return listening(
    new Command('start').description('serve the API and, with with_async: true, run its tasks'),
  ).action((options: ListenOptions) => run(options, ['server', 'worker']))
}

/** `macaron serve`: servers only; tasks are stored for workers elsewhere. */
export function serveCommand(): Command {
  return listening(
    new Command('serve').description('serve the API only; tasks are stored for a worker (macaron work)'),
  ).action((options: ListenOptions) => run(options, ['server']))
}

/** `macaron work`: worker and executors only. */
export function workCommand(): Command {
  return new Command('work')
    .description('run tasks only: a worker with its executors')
    .addOption(serviceOption())
    .addOption(envOption())
    .action((options: ListenOptions) => run(options, ['worker']))
}

async function run(options: ListenOptions, wanted: readonly ('server' | 'worker')[]): Promise<void> {
  const overrides = overridesOf(options)
  const config = configOf(options, overrides)
  const roles = wanted.filter((role) => role === 'server' || config.with_async)
  if (roles.length === 0) throw asyncOff(config)
  await launch({
    config,
    overrides,
    roles,
    announce: (server) => {
      if (roles.includes('server')) writeOut(`${tryLines(config, server).join('\n')}\n`)
    },
  })
}
