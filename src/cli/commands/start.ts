import { Command, InvalidArgumentError, Option } from 'commander'
import { asyncOff } from '../../async-off.ts'
import { launch } from '../launch.ts'
import { say } from '../output.ts'
import { configOf, envOption, type ServiceOptions, serviceOption } from '../service-option.ts'
import { tryLines } from '../try-lines.ts'

interface Options extends ServiceOptions {
  readonly port?: number
  readonly host?: string
}

/** `macaron start`: the service, whole. */
export function startCommand(): Command {
  return listening(
    new Command('start').description('serve the API and, with with_async: true, run its tasks'),
  ).action((options: Options) => run(options, ['server', 'worker']))
}

/** `macaron serve`: servers only; tasks are stored for workers elsewhere. */
export function serveCommand(): Command {
  return listening(
    new Command('serve').description('serve the API only; tasks are stored for a worker (macaron work)'),
  ).action((options: Options) => run(options, ['server']))
}

/** `macaron work`: worker and executors only. */
export function workCommand(): Command {
  return new Command('work')
    .description('run tasks only: a worker with its executors')
    .addOption(serviceOption())
    .addOption(envOption())
    .action((options: Options) => run(options, ['worker']))
}

function listening(command: Command): Command {
  return command
    .addOption(
      new Option('--port <n>', 'port to listen on (also PORT, PYM_SERVER_PORT, then macaron.yaml)').argParser(
        port,
      ),
    )
    .option('--host <address>', 'address to listen on')
    .addOption(serviceOption())
    .addOption(envOption())
}

async function run(options: Options, wanted: readonly ('server' | 'worker')[]): Promise<void> {
  const overrides = {
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.host === undefined ? {} : { host: options.host }),
  }
  const config = configOf(options, overrides)
  const roles = wanted.filter((role) => role === 'server' || config.with_async)
  if (roles.length === 0) throw asyncOff(config)
  await launch({
    config,
    overrides,
    roles,
    announce: (server) => {
      if (roles.includes('server')) for (const line of tryLines(config, server)) say(line)
    },
  })
}

function port(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new InvalidArgumentError('It must be a port from 0 to 65535.')
}
