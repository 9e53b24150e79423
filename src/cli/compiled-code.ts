import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { ensureFolder } from '../core/folder.ts'
import { stateFolder } from '../state-folder.ts'

/**
 * Children keep what V8 has compiled, and TypeScript that was stripped, below `.macaron/`: they start in a third of the time. Node's own place for
 * that is a folder every user of the machine can write.
 */
export function shareCompiledCode(config: Pick<Config, 'folder'>): void {
  const folder = join(stateFolder(config), 'cache')
  try {
    ensureFolder(stateFolder(config))
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    process.env.NODE_COMPILE_CACHE ??= folder
  } catch {
    // Whoever needs the folder for more than speed will say so.
  }
}
