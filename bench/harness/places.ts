import { mkdirSync, mkdtempSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Where benches keep things: below `.bench/` of the clone. */
export const root = dirname(dirname(import.meta.dirname))
export const peersFolder = join(root, '.bench', 'peers')
export const builtFolder = join(root, '.bench', 'built')
/** The spec of the service `jobs`, from which the peers that take one are run too. */
export const benchSpec = join(root, 'bench', 'services', 'jobs', 'apis', 'bench.yaml')
/** Beside the built package, so that copied services find it by its name. */
export const runFolder = join(builtFolder, 'run')

/** A new empty folder for one run of something. Folders of earlier runs are removed when the benches start. */
export function runPlace(name: string): string {
  mkdirSync(runFolder, { recursive: true })
  return mkdtempSync(join(runFolder, `${name}-`))
}
