import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { asError, codeOf, MacaronError } from '../core/errors.ts'

/** Writes a new service into a folder, from the files in `templates/service`. */

export interface ScaffoldOptions {
  readonly folder: string
  /** The service's name. Default: the folder's. */
  readonly name: string | undefined
  /** Writes into a folder that has files already; those that are there stay as they are. */
  readonly force: boolean
  /** Macaron's own version. */
  readonly version: string
}

export interface Scaffold {
  /** Absolute. */
  readonly folder: string
  readonly name: string
  /** By their paths in the folder. */
  readonly written: readonly string[]
  readonly kept: readonly string[]
}

/**
 * Makes a service that runs, with an operation, a task and a test.
 * @throws MacaronError `INIT_BAD_NAME`, `INIT_NOT_EMPTY` where the folder has files and `force` is not set, `INIT_UNWRITABLE`.
 */
export function scaffold(options: ScaffoldOptions): Scaffold {
  const folder = resolve(options.folder)
  const name = checkedName(options.name ?? basename(folder), options.name === undefined)
  if (!options.force) refuseFull(folder)
  const written: string[] = []
  const kept: string[] = []
  for (const path of templateFiles()) {
    const target = targets[path] ?? path
    const text = filled(readFileSync(join(templates, path), 'utf8'), name, options.version)
    const list = writeNew(join(folder, target), text) ? written : kept
    list.push(target)
  }
  return { folder, name, written, kept }
}

/** Files that would mean something to npm where the templates are. */
const targets: Readonly<Record<string, string>> = {
  gitignore: '.gitignore',
  dockerignore: '.dockerignore',
  'package.template.json': 'package.json',
}

const templates = join(import.meta.dirname, '../../templates/service')

function templateFiles(): readonly string[] {
  return readdirSync(templates, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(templates, path)).isFile())
    .sort()
}

/** The templates are a service that runs, whose name and version of Macaron stand for those to come. */
function filled(text: string, name: string, version: string): string {
  return text.replaceAll('my-service', name).replace('"macaron": "^0.0.0"', `"macaron": "^${version}"`)
}

/** A name that npm takes for a package, and Docker for an image. */
function checkedName(name: string, fromFolder: boolean): string {
  if (/^[a-z][a-z0-9]*(?:[-_.][a-z0-9]+)*$/.test(name) && name.length <= 100 && !reserved.has(name))
    return name
  const near = name
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[-0-9]+|-+$/g, '')
  const advice = near === '' || reserved.has(near) ? 'my-service' : near
  throw new MacaronError(
    'INIT_BAD_NAME',
    `"${name}" can't be the name of a service: small letters, digits and single - _ . between them, a letter first. Give it one with --name ${advice}${fromFolder ? ', which may differ from the folder' : ''}.`,
  )
}

/** npm refuses these, or they would hide the package that the service needs. */
const reserved = new Set(['node_modules', 'favicon.ico', 'macaron', 'node', 'test'])

/** An empty repository counts as empty. */
function refuseFull(folder: string): void {
  const found = entriesOf(folder).filter((entry) => entry !== '.git')
  if (found.length === 0) return
  const some = found.slice(0, 3).join(', ') + (found.length > 3 ? ', …' : '')
  throw new MacaronError(
    'INIT_NOT_EMPTY',
    `${folder} is not empty (${some}). Choose another folder, or add --force: it writes what is missing and keeps the files that are there.`,
  )
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    if (codeOf(error) === 'ENOTDIR') throw unwritable(folder, 'it is a file, not a folder', error)
    throw unwritable(folder, asError(error).message, error)
  }
}

/** False where there is such a file already. */
function writeNew(file: string, text: string): boolean {
  try {
    makeFolder(dirname(file))
    writeFileSync(file, text, { flag: 'wx' })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw unwritable(file, asError(error).message, error)
  }
}

/** Folder by folder: Node's own recursive way never ends where the system denies that there is such a place, as below /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  mkdirSync(folder)
}

function unwritable(path: string, why: string, cause: unknown): MacaronError {
  return new MacaronError('INIT_UNWRITABLE', `${path} can't be written: ${why}. Choose another folder.`, {
    cause,
  })
}
