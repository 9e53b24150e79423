import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Settings } from '../config-keys.ts'
import { envOption, type ServiceOptions, serviceOption } from './service-option.ts'

export interface ListenOptions extends ServiceOptions {
  readonly port?: number
  readonly host?: string
}

/** Where to listen, for which service: the options of every command that opens a port. */
export function listening(command: Command): Command {
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

/** What these options say over the configuration's file. */
export function overridesOf({ port, host }: ListenOptions): Partial<Settings> {
  return { ...(port === undefined ? {} : { port }), ...(host === undefined ? {} : { host }) }
}

function port(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new InvalidArgumentError('It must be a port from 0 to 65535.')
}
