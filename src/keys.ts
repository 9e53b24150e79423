import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config.ts'
import { codeOf, SetupError } from './core/errors.ts'
import { ensureFolder } from './core/folder.ts'

/** Where the secrets come from: the configuration, or files of mode 0600 below `.macaron/` made at first need. */

/** The keys that seal tasks; the first one seals. */
export function sealKeys(config: Config): readonly [string, ...string[]] {
  const [first, ...others] = config.seal_keys
  return first === undefined ? [keptSecret(config, 'seal.key')] : [first, ...others]
}

/** The secret of JWTs. @throws SetupError `JWT_SECRET_MISSING`, `JWT_SECRET_SHORT` in production. */
export function jwtSecret(config: Config): string {
  const secret = config.jwt_secret
  if (config.production && secret === undefined) {
    throw new SetupError('JWT_SECRET_MISSING', [
      {
        file: config.file,
        message:
          'jwt_secret is missing, and operations of the spec need it. In production it is never made up: set jwt_secret to the name of an environment variable and list that under env_secrets.',
      },
    ])
  }
  if (config.production && secret !== undefined && Buffer.byteLength(secret) < 32) {
    throw new SetupError('JWT_SECRET_SHORT', [
      {
        file: config.file,
        message: 'jwt_secret is under 32 bytes, too easy to guess for HS256 (RFC 7518 §3.2)',
      },
    ])
  }
  return secret ?? keptSecret(config, 'jwt.key')
}

function keptSecret(config: Config, name: string): string {
  const folder = join(config.folder, '.macaron')
  ensureFolder(folder)
  const path = join(folder, name)
  return readKept(path) ?? makeKept(path)
}

function readKept(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Server and worker start together: whoever links first wins, and the other reads that one. */
function makeKept(path: string): string {
  const own = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  writeFileSync(own, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flush: true })
  try {
    linkSync(own, path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    rmSync(own, { force: true })
  }
  return readFileSync(path, 'utf8').trim()
}
