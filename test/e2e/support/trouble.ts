import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  lchownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { until } from '../../support/until.ts'
import { atEnd } from './at-end.ts'

/** Makes the places where stores get into trouble. */

/** A small disk of its own; undefined where this user may not mount. */
export function smallDisk(test: TestContext, megabytes: number): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'macaron-e2e-disk-'))
  atEnd(test, () => rmdirSync(folder))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0777`, 'tmpfs', folder])
  if (mounted.status !== 0) return undefined
  // What was killed may hold its files a moment longer.
  atEnd(test, () =>
    until(() => spawnSync('umount', [folder]).status === 0, { what: 'the disk to be let go' }).then(
      () => undefined,
    ),
  )
  return folder
}

/** An ordinary user, for whom rights count, where the tests run as root. */
export const nobody = process.getuid?.() === 0 ? 65_534 : undefined

/** Gives a folder and all in it to `nobody`. Links are never followed: one of them leads to this checkout. */
export function giveToNobody(folder: string): void {
  if (nobody === undefined) return
  lchownSync(folder, nobody, nobody)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) giveToNobody(path)
    else lchownSync(path, nobody, nobody)
  }
}

/** Takes or gives the right to write into a folder and the files in it. */
export function setWritable(folder: string, writable: boolean): void {
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), writable ? 0o700 : 0o500)
  chmodSync(folder, writable ? 0o700 : 0o500)
}

/** Adds lines to a service's configuration. */
export function configure(folder: string, more: string): void {
  const file = join(folder, 'macaron.yaml')
  writeFileSync(file, readFileSync(file, 'utf8') + more)
}

/** Fills a disk to the last byte. */
export function fill(path: string): void {
  for (const size of [65_536, 4096, 512]) {
    const piece = Buffer.alloc(size)
    while (written(path, piece));
  }
}

function written(path: string, piece: Buffer): boolean {
  try {
    writeFileSync(path, piece, { flag: 'a' })
    return true
  } catch {
    return false
  }
}
