import { existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { networkFileSystem } from './place.ts'

/**
 * Why a spool in this folder would not keep what is put there: it is in memory, in the layer of a container that goes with the container, or where the
 * embedded store can't work. Undefined where it would.
 */
export function whyNotKept(folder: string): string | undefined {
  const type = statfsSync(existing(folder)).type >>> 0
  const network = networkFileSystem(type)
  return network === undefined ? volatile[type] : `on a network file system (${network})`
}

/** As statfs(2) numbers them. */
const volatile: Readonly<Record<number, string>> = {
  16914836: 'in memory (tmpfs)',
  2240043254: 'in memory (ramfs)',
  2035054128: "in a container's own layer (overlayfs)",
}

function existing(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existing(dirname(folder))
}
