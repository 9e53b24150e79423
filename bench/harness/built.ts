import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { builtFolder, root } from './places.ts'

/** The package as users get it, built and laid into a `node_modules` of its own: a clone strips types at every start. */
const home = join(builtFolder, 'node_modules', 'macaron')

/** The command of the built package. */
export const command = join(home, 'bin', 'macaron.js')

/** Builds it anew. Its dependencies are found further up, in the clone's `node_modules`. */
export function buildPackage(): void {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'build.ts')], { stdio: 'inherit' })
  // The build has said why.
  if (status !== 0) process.exit(1)
  rmSync(builtFolder, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  // Ends the clone's own package here: `macaron` means the built one below.
  writeFileSync(join(builtFolder, 'package.json'), '{ "private": true, "type": "module" }\n')
  for (const part of ['bin', 'dist', 'package.json'])
    cpSync(join(root, part), join(home, part), { recursive: true })
}
