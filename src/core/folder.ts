import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { asError, codeOf, StoreError } from './errors.ts'

/**
 * Makes the service's `.macaron/`, readable by its owner only and never committed: it holds keys and tasks.
 * @throws StoreError `STORE_UNWRITABLE`.
 */
export function ensureFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    ignoreInGit(join(folder, '.gitignore'))
  } catch (error) {
    throw new StoreError(
      'STORE_UNWRITABLE',
      `The folder ${folder} can't be made or written (${codeOf(error) ?? asError(error).message}). Give this user the right to write there.`,
      { cause: error },
    )
  }
}

function ignoreInGit(file: string): void {
  try {
    writeFileSync(file, '*\n', { flag: 'wx' })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}
