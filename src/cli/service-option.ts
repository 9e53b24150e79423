import { Option } from 'commander'
import { type Config, type ConfigOptions, loadConfig, useConfig } from '../config.ts'

export interface ServiceOptions {
  readonly service: string
  readonly env?: string
}

/** `--service DIR`: every command that needs a service has it. */
export function serviceOption(): Option {
  return new Option('--service <dir>', "the service's folder").default('.', 'the current folder')
}

/** `--env NAME`: the environment, over MACARON_ENV, PYM_ENV and NODE_ENV. */
export function envOption(): Option {
  return new Option(
    '--env <name>',
    'environment: development, production, … (also MACARON_ENV, PYM_ENV, NODE_ENV)',
  )
}

/** The configuration of the service a command was given. */
export function configOf(
  options: ServiceOptions,
  overrides: ConfigOptions['overrides'] = {},
  more: Pick<ConfigOptions, 'needsSecrets'> = {},
): Config {
  // Children read the same variable, so they live in the same environment.
  if (options.env !== undefined) process.env.MACARON_ENV = options.env
  return useConfig(loadConfig({ folder: options.service, overrides, ...more }))
}
