import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A folder of its own with the given files, for the scripts to be run on; removed at the end of the `using` block. */
export interface Tree extends Disposable {
  readonly root: string
}

export function tree(files: Readonly<Record<string, string>>): Tree {
  const root = mkdtempSync(join(tmpdir(), 'macaron-scripts-'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true }) }
}

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  /** The lines of stderr. */
  readonly faults: readonly string[]
}

/** Runs one of the scripts on a folder. */
export function runScript(script: string, args: readonly string[]): Ran {
  const path = join(import.meta.dirname, '../../scripts', script)
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...args], { encoding: 'utf8' })
  return { status, stdout, faults: stderr.split('\n').filter((line) => line !== '') }
}
