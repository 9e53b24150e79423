import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { type Config, loadConfig } from '../config.ts'
import type { TestServiceOptions } from './test-service.ts'

/**
 * A service's configuration as a test has it: secrets that are not configured are made up, and kept nowhere.
 * @throws SetupError as `loadConfig`.
 */
export function testConfig({ folder = '.', config = {}, environment = {} }: TestServiceOptions): Config {
  const loaded = loadConfig({
    folder: typeof folder === 'string' ? folder : fileURLToPath(folder),
    overrides: config,
    overriddenBy: 'In the settings that the test gives',
    variables: environment,
  })
  return Object.freeze({
    ...loaded,
    seal_keys: loaded.seal_keys.length > 0 ? loaded.seal_keys : [madeUp()],
    jwt_secret: loaded.jwt_secret ?? madeUp(),
  })
}

function madeUp(): string {
  return randomBytes(32).toString('base64url')
}
