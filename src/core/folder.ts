import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, StoreError } from './errors.ts'

/**
 * Makes the service's `.macaron/`, readable by its owner only and never committed: it holds keys and tasks.
 * @throws StoreError `STORE_UNWRITABLE`.
 */
export function ensureFolder(folder: string): void {
  try {
    const made = mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (made !== undefined) writeFileSync(join(folder, '.gitignore'), '*\n', { flag: 'wx' })
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return
    throw new StoreError(
      'STORE_UNWRITABLE',
      `The folder ${folder} can't be made or written (${codeOf(error) ?? String(error)}). Give this user the right to write there.`,
      { cause: error },
    )
  }
}
