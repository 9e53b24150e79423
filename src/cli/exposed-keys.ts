import { rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Config } from '../config.ts'
import { emit } from '../core/events.ts'
import { keptKeys } from '../keys.ts'
import { shellQuoted } from './shell-quoted.ts'

/** Says which of the keys that a start uses lie open to every user of this machine. What a group may do is left to whoever gave it the right: volumes of containers are shared so. */
export function tellOfExposedKeys(config: Config): void {
  for (const path of keptKeys(config)) {
    const mode = modeOf(path)
    if ((mode & ofOthers) === 0 || !keepsModes(dirname(path))) continue
    emit('notice', {
      message: `${path} is a key, and its mode ${mode.toString(8)} lets every user of this machine read or change it: \`chmod 600 ${shellQuoted(path)}\`, and have a new one made where somebody may have read it`,
    })
  }
}

/** Whoever is neither owner nor of the group: reading and writing. */
const ofOthers = 0o006

/** None where there is no such file; what else is wrong with it is told by whoever reads it. */
function modeOf(path: string): number {
  try {
    return statSync(path).mode & 0o777
  } catch {
    return 0
  }
}

/** Some file systems, and Windows, show the same mode for every file: there is nothing to be done about it. */
function keepsModes(folder: string): boolean {
  const probe = join(folder, `mode.${process.pid}`)
  try {
    writeFileSync(probe, '', { mode: 0o600 })
    const { mode } = statSync(probe)
    rmSync(probe)
    return (mode & ofOthers) === 0
  } catch {
    return true
  }
}
