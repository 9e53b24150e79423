import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { asError, codeOf, type Fault, SetupError } from '../core/errors.ts'
import type { Api } from './api.ts'
import { duplicateRoutes } from './duplicates.ts'
import { locateFaults } from './locate.ts'
import { apiNameOf, type ReadOptions, readApi, readWhole } from './read-api.ts'

/** Finds and loads the spec files of a service. */

/**
 * The APIs of a folder: every `.yaml`, `.yml` and `.json` file in it, in alphabetical order. Dotfiles, editors' temporary files and
 * configuration files are left out.
 * @throws SetupError `SPEC_INVALID` with all faults of all files, `SPEC_MISSING` where the folder has no spec.
 */
export async function loadApis(folder: string, options: ReadOptions): Promise<readonly Api[]> {
  const { apis, faults } = await readApis(folder, options)
  if (faults.length > 0) throw new SetupError('SPEC_INVALID', faults)
  return apis
}

export interface ReadApis {
  /** The APIs without faults of their own. */
  readonly apis: readonly Api[]
  /** What could be read of the others. */
  readonly broken: readonly Api[]
  readonly faults: readonly Fault[]
}

/** The same, giving what could be read beside the faults. @throws SetupError `SPEC_MISSING` where the folder has no spec. */
export async function readApis(folder: string, options: ReadOptions): Promise<ReadApis> {
  const files = await specFiles(folder)
  const faults: Fault[] = [...sameNames(files)]
  const all: ReturnType<typeof readWhole>[] = []
  for (const file of files) {
    try {
      all.push(readWhole(file, await textOf(file), options))
    } catch (error) {
      if (!(error instanceof SetupError)) throw error
      faults.push(...error.faults)
    }
  }
  faults.push(...all.flatMap((read) => read.faults))
  const known = new Set(faults.map(({ file, message }) => `${file} ${message}`))
  // Those within one API have been told with its other faults.
  const duplicates = duplicateRoutes(all.map(({ api }) => api)).filter(
    ({ file, message }) => !known.has(`${file} ${message}`),
  )
  faults.push(...duplicates.flatMap((fault) => locateFaults(fault.file, [fault])))
  const apis = all.filter((read) => read.faults.length === 0).map(({ api }) => api)
  const broken = all.filter((read) => read.faults.length > 0).map(({ api }) => api)
  return { apis, broken, faults }
}

/**
 * One API from its file; its name is the file's without the ending.
 * @throws SetupError `SPEC_INVALID` with all faults of the file, `SPEC_MISSING` where it can't be read.
 */
export async function loadApi(file: string, options: ReadOptions): Promise<Api> {
  return readApi(file, await textOf(file), options)
}

async function textOf(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((error: unknown) => {
    throw unreadable(file, error)
  })
}

/** `loadApi` at once, for generated models that are used without a service. */
export function loadApiSync(file: string, options: ReadOptions): Api {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw unreadable(file, error)
  }
  return readApi(file, text, options)
}

/** The spec files of a folder, in alphabetical order. @throws SetupError `SPEC_MISSING` where there are none. */
export async function specFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  })
  const files = names
    .filter(isSpecName)
    .sort()
    .map((name) => join(folder, name))
  if (files.length > 0) return files
  const message = 'There is no OpenAPI file here: a service needs at least one, such as apis/shop.yaml'
  throw new SetupError('SPEC_MISSING', [{ message, file: folder }])
}

function isSpecName(name: string): boolean {
  const isTemporary = /^[.#~]/.test(name)
  const isConfiguration = /^(pym-config|macaron)\b/.test(name)
  return /\.(ya?ml|json)$/.test(name) && !isTemporary && !isConfiguration
}

function sameNames(files: readonly string[]): readonly Fault[] {
  const byName = Map.groupBy(files, apiNameOf)
  return [...byName].flatMap(([name, [first, ...others]]) =>
    others.map((file) => ({
      message: `The API "${name}" is already defined by ${basename(String(first))}: rename one of the files`,
      file,
    })),
  )
}

function unreadable(file: string, error: unknown): SetupError {
  return new SetupError('SPEC_MISSING', [
    { message: `The file can't be read: ${asError(error).message}`, file },
  ])
}
