import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { asError, codeOf, type Fault, SetupError } from '../core/errors.ts'
import type { Api } from './api.ts'
import { duplicateRoutes } from './duplicates.ts'
import { locateFaults } from './locate.ts'
import { apiNameOf, type ReadOptions, readApi } from './read-api.ts'

/** Finds and loads the spec files of a service. */

/**
 * The APIs of a folder: every `.yaml`, `.yml` and `.json` file in it, in alphabetical order. Dotfiles, editors' temporary files and
 * configuration files are left out.
 * @throws SetupError `SPEC_INVALID` with all faults of all files, `SPEC_MISSING` where the folder has no spec.
 */
export async function loadApis(folder: string, options: ReadOptions): Promise<readonly Api[]> {
  const files = await specFiles(folder)
  const faults: Fault[] = [...sameNames(files)]
  const apis: Api[] = []
  for (const file of files) {
    try {
      apis.push(await loadApi(file, options))
    } catch (error) {
      if (!(error instanceof SetupError)) throw error
      faults.push(...error.faults)
    }
  }
  faults.push(...duplicateRoutes(apis).flatMap((fault) => locateFaults(fault.file, [fault])))
  if (faults.length > 0) throw new SetupError('SPEC_INVALID', faults)
  return apis
}

/**
 * One API from its file; its name is the file's without the ending.
 * @throws SetupError `SPEC_INVALID` with all faults of the file, `SPEC_MISSING` where it can't be read.
 */
export async function loadApi(file: string, options: ReadOptions): Promise<Api> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw unreadable(file, error)
  })
  return readApi(file, text, options)
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
