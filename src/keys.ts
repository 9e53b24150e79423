import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config.ts'
import { asError, codeOf, MacaronError, SetupError, StoreError } from './core/errors.ts'
import { ensureFolder } from './core/folder.ts'
import { isShared } from './engines/open.ts'

/** Where the secrets come from: the configuration, or files of mode 0600 below `.macaron/` made at first need. */

type KeySource = Pick<Config, 'folder' | 'file' | 'production' | 'seal_keys' | 'jwt_secret'>
type SharedSource = KeySource & Pick<Config, 'broker_url'>
type TaskSource = KeySource & Pick<Config, 'with_async'>

/** The keys that seal tasks; the first one seals. @throws SetupError `SEAL_KEY_TOO_SHORT`, `KEY_FILE`, StoreError `STORE_UNWRITABLE`, `STORE_FULL`. */
export function sealKeys(config: KeySource): readonly [string, ...string[]] {
  // As in the kept file: whoever makes a secret of that one may have its line's end too.
  const keys = config.seal_keys.map((key) => key.trim())
  const [first, ...others] = keys
  const short = keys.findIndex((key) => Buffer.byteLength(key) < leastBytes)
  if (short >= 0) {
    throw setupError('SEAL_KEY_TOO_SHORT', config.file, [
      `Key ${short + 1} of seal_keys has fewer than ${leastBytes} bytes.`,
      `Make one with: node -p "crypto.randomBytes(32).toString('base64url')"`,
    ])
  }
  return first === undefined ? [keptSecret(config, sealKeyFile, 'seal_keys')] : [first, ...others]
}

/** Tasks that machines share are sealed with a key that they share: in production one has to be given. @throws SetupError `SEAL_KEY_MISSING`. */
export function requireSealKeys(config: SharedSource): void {
  if (!config.production || config.seal_keys.length > 0 || !isShared(config.broker_url)) return
  throw setupError('SEAL_KEY_MISSING', config.file, [
    'seal_keys is missing, and tasks on Redis are sealed with a key that all machines of the service have. In production it is never made up:',
    'set seal_keys to the names of environment variables and list those under env_secrets.',
    `Make a key with: node -p "crypto.randomBytes(32).toString('base64url')"`,
  ])
}

/** What to say where tasks that machines may share are sealed with a key that this folder has made for itself. */
export function ownSealKey(config: SharedSource): string | undefined {
  if (config.seal_keys.length > 0 || !isShared(config.broker_url)) return undefined
  return `Tasks are sealed with the key in ${join(config.folder, '.macaron', sealKeyFile)}: workers elsewhere can't run them unless they have the same. In ${config.file} set seal_keys, which production requires`
}

/** The secret of JWTs. @throws SetupError `JWT_SECRET_MISSING`, in production, `JWT_SECRET_SHORT`; else as above. */
export function jwtSecret(config: KeySource): string {
  const secret = config.jwt_secret
  if (config.production && secret === undefined) {
    throw setupError('JWT_SECRET_MISSING', config.file, [
      'jwt_secret is missing, and operations of the spec need it. In production it is never made up:',
      'set jwt_secret to the name of an environment variable and list that under env_secrets.',
    ])
  }
  if (secret !== undefined && Buffer.byteLength(secret) < leastBytes) {
    throw setupError('JWT_SECRET_SHORT', config.file, [
      `jwt_secret has ${Buffer.byteLength(secret)} bytes; HS256 needs at least ${leastBytes} (RFC 7518 §3.2).`,
      `Make one with: node -p "crypto.randomBytes(32).toString('base64url')"`,
    ])
  }
  return secret ?? keptSecret(config, jwtKeyFile, 'jwt_secret')
}

/** The looks at a service's secrets that a start would take, without making the ones that are not there: each throws as above. */
export function checkKeys(
  config: SharedSource & TaskSource,
  { tokens }: { readonly tokens: boolean },
): readonly (() => unknown)[] {
  const isKept = (name: string) => existsSync(join(config.folder, '.macaron', name))
  const seals = config.with_async && (config.seal_keys.length > 0 || isKept(sealKeyFile))
  const signs = tokens && (config.production || config.jwt_secret !== undefined || isKept(jwtKeyFile))
  const shares = config.with_async ? [() => requireSealKeys(config)] : []
  return [...shares, ...(seals ? [() => sealKeys(config)] : []), ...(signs ? [() => jwtSecret(config)] : [])]
}

/** The files of kept keys that a start uses, if only to make them. */
export function keptKeys(config: TaskSource): readonly string[] {
  const seals = config.with_async && config.seal_keys.length === 0
  const signs = !config.production && config.jwt_secret === undefined
  const names = [...(seals ? [sealKeyFile] : []), ...(signs ? [jwtKeyFile] : [])]
  return names.map((name) => join(config.folder, '.macaron', name))
}

const sealKeyFile = 'seal.key'
const jwtKeyFile = 'jwt.key'
const leastBytes = 32

function setupError(code: string, file: string, sentences: readonly string[]): SetupError {
  return new SetupError(code, [{ file, message: sentences.join(' ') }])
}

/** A secret kept in a file of its own, made where there is none. `setting` is what can be configured instead. */
function keptSecret(config: KeySource, name: string, setting: string): string {
  const folder = join(config.folder, '.macaron')
  const path = join(folder, name)
  try {
    const secret = readKept(path) ?? makeKept(folder, path)
    // Zeros are what some file systems leave after a power cut.
    if (Buffer.byteLength(secret) >= leastBytes && !secret.includes('\0')) return secret
  } catch (error) {
    if (error instanceof MacaronError) throw error
    throw setupError('KEY_FILE', path, [
      `This key can't be read or made (${codeOf(error) ?? asError(error).message}).`,
      `Give this user the right to do so, or set ${setting} in ${config.file}.`,
    ])
  }
  // A cut or emptied file: to go on with it would mean a key that anybody can guess.
  throw setupError('KEY_FILE', path, [
    `This file holds no key of ${leastBytes} bytes or more.`,
    `Restore it, or remove it to have a new one made (what the old key has sealed or signed is then not accepted any more).`,
  ])
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
function makeKept(folder: string, path: string): string {
  ensureFolder(folder)
  const own = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    writeFileSync(own, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flush: true })
    linkSync(own, path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw unmade(path, error)
  } finally {
    rmSync(own, { force: true })
  }
  return readFileSync(path, 'utf8').trim()
}

/** Lack of space and of the right to write can pass: like trouble with the store, which lies in the same folder, they are no mistake in the files. */
function unmade(path: string, error: unknown): unknown {
  const code = codeOf(error) ?? ''
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new StoreError('STORE_FULL', `No space left on the disk for ${path}. Free some.`, { cause: error })
  if (!['EACCES', 'EPERM', 'EROFS'].includes(code)) return error
  const text = `${path} can't be made (${code}). Give this user the right to write there.`
  return new StoreError('STORE_UNWRITABLE', text, { cause: error })
}
